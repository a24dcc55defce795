import { describe, expect, it } from 'vitest'
import { digest, digestBySubtle } from '../../../src/verify/digest.ts'

describe.each([
  ['of this platform', digest],
  ['by Web Crypto', digestBySubtle],
])('the digest %s', (_name, digestOf) => {
  it('is the same for the same text, and for no other', async () => {
    const texts = ['', 'a', 'b', 'ab', 'ñ', 'x'.repeat(16_384), `${'x'.repeat(16_383)}y`]
    const digests = await Promise.all(texts.map(digestOf))
    expect(new Set(digests).size).toBe(texts.length)
    expect(await Promise.all(texts.map(digestOf))).toEqual(digests)
  })

  it('is shorter than any token', async () => {
    expect((await digestOf('x'.repeat(16_384))).length).toBeLessThan(64)
  })
})

describe('the digest on Node', () => {
  it('is there at once', () => {
    expect(digest('text')).toBe('mC2ePrmW9VnmM_TRlN7zdh2Qn1o7ZH0ahR_q1nwyydE')
  })
})

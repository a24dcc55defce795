import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCompactJwt } from '../../../src/verify/compact-jwt.ts'

const part = fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString('base64url'))

describe('isCompactJwt', () => {
  it('knows every three parts an encoder makes', () => {
    fc.assert(fc.property(part, part, part, (a, b, c) => isCompactJwt(`${a}.${b}.${c}`)))
  })

  it('knows only one spelling of the same bytes', () => {
    expect(isCompactJwt('AA.AAA.AAAA')).toBe(true)
    expect(isCompactJwt('AB.AAA.AAAA')).toBe(false)
    expect(isCompactJwt('AA.AAB.AAAA')).toBe(false)
    expect(isCompactJwt('AA.AAA.AAAA=')).toBe(false)
  })

  it('takes 16 KiB and not a character more', () => {
    const tokenOf = (length: number) => `AAAA.AAAA.${'A'.repeat(length - 10)}`
    expect(isCompactJwt(tokenOf(16 * 1024))).toBe(true)
    expect(isCompactJwt(tokenOf(16 * 1024 + 2))).toBe(false)
  })

  it.each([undefined, null, 7, ['AAAA.AAAA.AAAA'], Buffer.from('AAAA.AAAA.AAAA')])(
    'is false for %j',
    (value) => {
      expect(isCompactJwt(value)).toBe(false)
    },
  )
})

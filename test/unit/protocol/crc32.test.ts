import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32Hex } from '../../../src/protocol/crc32.ts'

describe('crc32Hex', () => {
  it.each([
    ['', '00000000'],
    ['123456789', 'cbf43926'],
    ['a', 'e8b7be43'],
    ['The quick brown fox jumps over the lazy dog', '414fa339'],
  ])('of %j is %s', (text, checksum) => {
    expect(crc32Hex(text)).toBe(checksum)
  })

  it('is what zlib computes, always as 8 characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
        expect(crc32Hex(text)).toBe(crc32(text).toString(16).padStart(8, '0'))
      }),
      { numRuns: 500 },
    )
  })
})

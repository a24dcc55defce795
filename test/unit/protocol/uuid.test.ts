import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { uuidV7 } from '../../../src/protocol/uuid.ts'

const LAST_MS = 2 ** 48 - 1
const instant = fc.date({ min: new Date(0), max: new Date(8.64e15), noInvalidDate: true })
const msOf = (uuid: string): number => Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16)

describe('uuidV7', () => {
  it('has the shape, version and variant of RFC 9562', () => {
    fc.assert(
      fc.property(instant, (now) => {
        expect(uuidV7(now)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }),
    )
  })

  it('begins as the example of RFC 9562 appendix A.6', () => {
    expect(uuidV7(new Date('2022-02-22T19:22:22.000Z')).slice(0, 14)).toBe('017f22e2-79b0-')
  })

  it.each([0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 2 ** 31, 1_772_366_400_123, LAST_MS])(
    'embeds the millisecond %d',
    (ms) => {
      expect(msOf(uuidV7(new Date(ms)))).toBe(ms)
    },
  )

  it('embeds every instant there is room for', () => {
    fc.assert(
      fc.property(fc.nat(LAST_MS), (ms) => {
        expect(msOf(uuidV7(new Date(ms)))).toBe(ms)
      }),
    )
  })

  it('sorts as text by the time it was made, from one millisecond to the next', () => {
    fc.assert(
      fc.property(fc.nat(LAST_MS - 1), fc.integer({ min: 1, max: 2 ** 40 }), (ms, laterMs) => {
        const later = Math.min(ms + laterMs, LAST_MS)
        expect(uuidV7(new Date(ms)) < uuidV7(new Date(later))).toBe(true)
        expect(uuidV7(new Date(ms)) < uuidV7(new Date(ms + 1))).toBe(true)
      }),
    )
  })

  it('differs each time within one millisecond', () => {
    const now = new Date('2026-03-01T12:00:00Z')
    expect(new Set(Array.from({ length: 1000 }, () => uuidV7(now))).size).toBe(1000)
  })

  it('leaves each of the 74 other bits to chance', () => {
    const now = new Date('2026-03-01T12:00:00Z')
    const values = Array.from({ length: 200 }, () => BigInt(`0x${uuidV7(now).replaceAll('-', '')}`))
    const everSet = values.reduce((all, value) => all | value, 0n)
    const alwaysSet = values.reduce((all, value) => all & value, 2n ** 128n - 1n)
    const varying = (everSet & ~alwaysSet).toString(2).replaceAll('0', '')
    expect(varying).toHaveLength(74)
  })
})

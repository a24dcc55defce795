import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { percentile } from '../../bench/load/percentile.ts'
import { Tally } from '../../bench/load/tally.ts'

const NOTHING = Buffer.alloc(0)

describe('a percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)

  it('is the smallest value that so many do not exceed', () => {
    expect([1, 50, 99, 100].map((percent) => percentile(hundred, percent))).toEqual([1, 50, 99, 100])
    expect(percentile([7], 99)).toBe(7)
    expect(percentile([1, 2, 3], 50)).toBe(2)
    expect(percentile([1, 2, 3, 4], 50)).toBe(2)
  })

  it('of nothing is not a number', () => {
    expect(percentile([], 50)).toBeNaN()
  })

  it('is a value that was measured, which at least so many and not one fewer do not exceed', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (list, percent) => {
        const ascending = list.toSorted((a, b) => a - b)
        const found = percentile(ascending, percent)
        const needed = (percent / 100) * list.length
        return (
          list.includes(found) &&
          list.filter((value) => value <= found).length >= needed &&
          list.filter((value) => value < found).length < needed
        )
      }),
    )
  })
})

describe('a tally', () => {
  it('sorts latencies as numbers', () => {
    const tally = new Tally([200])
    for (const latency of [10, 9, 100]) tally.add(latency, 200, NOTHING)
    expect(tally.percentiles([1, 50, 100])).toEqual([9, 10, 100])
  })

  it('leaves out what was due before or after a span', () => {
    const tally = new Tally([200])
    const now = performance.now()
    tally.add(5000, 200, NOTHING)
    tally.add(500, 200, NOTHING)
    tally.add(0, 200, NOTHING)
    expect(tally.percentiles([1, 100], { from: now - 1000, until: now - 100 })).toEqual([500, 500])
    expect(tally.count).toBe(3)
  })

  it('counts what nobody expected as failed, and keeps the first examples of it', () => {
    const tally = new Tally([200])
    tally.add(1, 200, NOTHING)
    for (let each = 1; each <= 5; each += 1) tally.add(1, 503, Buffer.from(`overloaded ${each}`))
    tally.add(1, 0, Buffer.from('the connection was closed'))
    expect(tally.failures).toBe(6)
    expect(tally.unexpected).toEqual(['503 overloaded 1', '503 overloaded 2', '503 overloaded 3'])
    expect(Object.fromEntries(tally.statuses)).toEqual({ 0: 1, 200: 1, 503: 5 })
  })

  it('keeps granted answers to be verified, as copies', () => {
    const tally = new Tally([200])
    const body = Buffer.from('granted')
    tally.add(1, 200, body)
    tally.add(1, 200, body)
    body.fill(0)
    expect(tally.kept.map(String)).toEqual(['granted'])
  })

  it('keeps no more than the last of them, since tokens expire', () => {
    const tally = new Tally([200])
    for (let each = 0; each < 500 * 501; each += 1) tally.add(1, 200, Buffer.from(String(each)))
    expect([tally.kept.length, String(tally.kept[0]), String(tally.kept.at(-1))]).toEqual([
      500,
      '500',
      '250000',
    ])
  })
})

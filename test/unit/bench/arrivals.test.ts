import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planArrivals } from '../../bench/load/arrivals.ts'

function arriveAll(perSecond: number, ticks: number): number[] {
  const { arrivalsAt } = planArrivals(perSecond)
  return Array.from({ length: ticks }, (_, tick) => arrivalsAt(tick))
}

describe('a schedule', () => {
  it('lets one request arrive per tick while ticks are a millisecond apart or more', () => {
    expect(planArrivals(400).tickMs).toBe(2.5)
    expect(arriveAll(400, 5)).toEqual([1, 1, 1, 1, 1])
    expect(new Set(arriveAll(333, 10_000))).toEqual(new Set([1]))
  })

  it('lets several arrive together when they come faster, as evenly as whole numbers can', () => {
    expect(planArrivals(2500).tickMs).toBe(1)
    expect(arriveAll(2500, 4)).toEqual([2, 3, 2, 3])
  })

  it('keeps the rate, whatever it is', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 50_000, noNaN: true }), (perSecond) => {
        const { tickMs } = planArrivals(perSecond)
        const ticks = Math.ceil(10_000 / tickMs)
        const arrived = arriveAll(perSecond, ticks).reduce((sum, count) => sum + count, 0)
        return Math.abs(arrived - (perSecond * ticks * tickMs) / 1000) <= 1
      }),
    )
  })
})

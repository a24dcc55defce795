import { describe, expect, it } from 'vitest'
import { combineRounds, costMs, median } from '../../bench/meter/figures.ts'
import { makeFigures } from './figures-fixture.ts'

describe('the median', () => {
  it('is the middle, or the mean of the two in the middle', () => {
    expect(median([3])).toBe(3)
    expect(median([10, 9, 100])).toBe(10)
    expect(median([4, 1, 3, 2])).toBe(2.5)
  })
})

describe('several rounds', () => {
  it('give the median of each figure by itself, and the sum of what is counted', () => {
    const combined = combineRounds([
      makeFigures({ perSecond: 1000, serverCpuMs: 0.3, failures: 1, statuses: { 200: 999, 503: 1 } }),
      makeFigures({ perSecond: 100, serverCpuMs: 0.2 }),
      makeFigures({ perSecond: 900, serverCpuMs: 0.1, requests: 500, statuses: { 200: 500 } }),
    ])
    expect(combined).toMatchObject({
      perSecond: 900,
      serverCpuMs: 0.2,
      requests: 2500,
      failures: 1,
      statuses: { 200: 2499, 503: 1 },
    })
  })

  it('are one at least', () => {
    expect(() => combineRounds([])).toThrow('nothing was measured')
  })
})

it('the cost of a request is the CPU time of server and Postgres', () => {
  expect(costMs(makeFigures({ serverCpuMs: 0.25, postgresCpuMs: 0.5, loadCpuMs: 1 }))).toBe(0.75)
})

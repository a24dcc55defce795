import { describe, expect, it } from 'vitest'
import type { Figures } from '../../bench/meter/figures.ts'
import { judgeBars } from '../../bench/report/bars.ts'
import { growthOf } from '../../bench/report/growth.ts'
import type { Row, Soak, Verification } from '../../bench/report/report.ts'
import { makeFigures, makeRow, makeVerification } from './figures-fixture.ts'

const FLOOR = makeRow('floor', { perSecond: 1000, serverCpuMs: 0.1 })
const warm = (closed: Partial<Figures>, open: Partial<Figures> = {}): Row => makeRow('warm-64', closed, open)

const judge = (
  figure: string,
  rows: readonly Row[],
  soak: Soak | null = null,
  verifications: readonly Verification[] = [],
) => {
  const bars = judgeBars(rows, soak, verifications).filter((bar) => bar.figure.includes(figure))
  expect(bars).toHaveLength(1)
  return [bars[0]?.value, bars[0]?.isMet]
}

const remember = (mebibytes: readonly number[]): Soak => ({
  figures: makeFigures(),
  samples: mebibytes.map((size, index) => ({ atSeconds: index, rssBytes: size * 2 ** 20 })),
})

describe('a bar', () => {
  it('holds CPU per warm exchange, server and Postgres, against that of the floor', () => {
    const figure = 'CPU per warm exchange, server'
    expect(judge(figure, [FLOOR, warm({ serverCpuMs: 0.125, postgresCpuMs: 0.115 })])).toEqual(['2.40', true])
    expect(judge(figure, [FLOOR, warm({ serverCpuMs: 0.125, postgresCpuMs: 0.116 })])).toEqual([
      '2.41',
      false,
    ])
  })

  it('holds the rate of warm exchanges against that of the floor', () => {
    const figure = 'warm exchanges per second'
    expect(judge(figure, [FLOOR, warm({ perSecond: 380 })])).toEqual(['38.0', true])
    expect(judge(figure, [FLOOR, warm({ perSecond: 379 })])).toEqual(['37.9', false])
  })

  it('takes latencies from the open loop, never from the closed one', () => {
    expect(judge('p99 at 64', [warm({ p99Ms: 1 }, { p99Ms: 30.1 })])).toEqual(['30.10', false])
    expect(judge('p50 at 1 ', [makeRow('warm-1', { p50Ms: 9 }, { p50Ms: 2 })])).toEqual(['2.00', true])
  })

  it('holds the large database against the small one', () => {
    const rows = (large: number) => [warm({ serverCpuMs: 0.2 }), makeRow('large-64', { serverCpuMs: large })]
    expect(judge('large database', rows(0.23))).toEqual(['1.15', true])
    expect(judge('large database', rows(0.24))).toEqual(['1.20', false])
  })

  it('holds exchanges beside a flood against those alone, and lets none of them fail', () => {
    const rows = [
      makeRow('valid-alone', null, { p99Ms: 2 }),
      makeRow('valid-beside-flood', null, { p99Ms: 10.5, failures: 1 }),
    ]
    expect(judge('beside 64 connections', rows)).toEqual(['5.3', false])
    expect(judge('failed beside them', rows)).toEqual(['1', false])
  })

  it('counts read and write transactions apart', () => {
    const rows = [warm({ reads: 0.2, writes: 0.21 })]
    expect(judge('read transactions', rows)).toEqual(['0.200', true])
    expect(judge('write transactions', rows)).toEqual(['0.210', false])
  })

  it('asks for a rate of first exchanges', () => {
    expect(judge('first exchanges', [makeRow('cold-64', { perSecond: 1200 })])).toEqual(['1200', true])
    expect(judge('first exchanges', [makeRow('cold-64', { perSecond: 1199 })])).toEqual(['1199', false])
  })

  it('asks for memory that stays flat', () => {
    expect(judge('growth of memory', [], remember(Array(20).fill(100)))).toEqual(['0.0', true])
    expect(judge('growth of memory', [], remember([...Array(10).fill(100), ...Array(10).fill(111)]))).toEqual(
      ['11.0', false],
    )
  })

  it('holds a verification against the signature alone, and the next one of the token against the first', () => {
    const verifications = (perReference: number, againMicroseconds: number) => [
      makeVerification('ES256-patmint-status', { perReference, cpuMicroseconds: 200 }),
      makeVerification('ES256-patmint-status-again', { cpuMicroseconds: againMicroseconds }),
    ]
    expect(judge('not seen before', [], null, verifications(1.2, 10))).toEqual(['1.20', true])
    expect(judge('not seen before', [], null, verifications(1.21, 10))).toEqual(['1.21', false])
    expect(judge('a token seen before', [], null, verifications(1, 10))).toEqual(['20.0', true])
    expect(judge('a token seen before', [], null, verifications(1, 10.1))).toEqual(['19.8', false])
  })

  it('is neither met nor missed by what was not measured', () => {
    const bars = judgeBars([], null, [])
    expect(bars).toHaveLength(13)
    expect(bars.every(({ value, isMet }) => value === null && isMet === null)).toBe(true)
  })
})

describe('growth of memory', () => {
  it('does not count what the process needs to run in', () => {
    expect(growthOf(remember([50, 80, ...Array(18).fill(100)]).samples)).toBe(0)
  })

  it('does not count a single sample before or after a garbage collection', () => {
    const samples = [90, 90, 100, 170, 100, ...Array(12).fill(100), 100, 170, 100]
    expect(growthOf(remember(samples).samples)).toBe(0)
  })

  it('counts a leak, however slow', () => {
    expect(growthOf(remember(Array.from({ length: 60 }, (_, index) => 100 + index)).samples)).toBeGreaterThan(
      40,
    )
  })
})

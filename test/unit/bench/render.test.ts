import { describe, expect, it } from 'vitest'
import { judgeBars } from '../../bench/report/bars.ts'
import { renderReport } from '../../bench/report/render.ts'
import type { Report, Row } from '../../bench/report/report.ts'
import { renderTable } from '../../bench/report/table.ts'
import { makeRow, makeVerification } from './figures-fixture.ts'

const makeReport = (rows: readonly Row[], failures = 0): Report => ({
  startedAt: '2026-11-26T12:00:00.000Z',
  seconds: 61.7,
  machine: { cores: 2 },
  postgres: { fsync: 'on' },
  settings: { PATMINT_WORKERS: '1' },
  preparations: [{ name: 'seeding', seconds: 1.25 }],
  rows,
  soak: null,
  verifications: [],
  bars: judgeBars(rows, null, []),
  failures,
})

const findLine = (text: string, start: string): string =>
  text.split('\n').find((line) => line.startsWith(start)) ?? ''

describe('a table', () => {
  it('aligns its columns below their titles', () => {
    const table = renderTable<[string, number]>(
      [
        { title: 'what', align: 'left', cell: ([name]) => name },
        { title: 'n', align: 'right', cell: ([, count]) => String(count) },
      ],
      [
        ['one', 1],
        ['eleven', 11],
      ],
    )
    expect(table).toBe('what     n\n------  --\none      1\neleven  11')
  })
})

describe('a rendered report', () => {
  const rows = [
    makeRow('floor', { perSecond: 1000, serverCpuMs: 0.1 }),
    makeRow(
      'warm-64',
      { perSecond: 400, serverCpuMs: 0.15, postgresCpuMs: 0.05, p50Ms: 7 },
      { p50Ms: 5, p99Ms: 6 },
    ),
    makeRow('cold-64', { perSecond: 300, p50Ms: 7, p99Ms: 8, statuses: { 200: 750, 503: 250 } }),
  ]

  it('puts rate and cost beside their ratio to the floor, and latencies of the open loop', () => {
    const line = findLine(renderReport(makeReport(rows)), 'row warm-64')
    expect(line.split(/ {2,}/)).toEqual([
      ...[
        'row warm-64',
        '64',
        '400',
        '0.40',
        '550',
        '5.00',
        '6.00',
        '0.150',
        '0.050',
        '0.200',
        '2.00',
        '0.020',
      ],
      ...['0.000', '0.000', '100', '0.00', '0', '200 100 %'],
    ])
  })

  it('says where latencies are those of a closed loop, and what was answered how often', () => {
    const line = findLine(renderReport(makeReport(rows)), 'row cold-64')
    expect(line).toMatch(/ closed +7\.00 +8\.00 /)
    expect(line).toMatch(/ {2}200 75 %, 503 25 %$/)
  })

  it('says which bars are met', () => {
    const text = renderReport(makeReport(rows))
    expect(findLine(text, 'CPU per warm exchange, server')).toMatch(/ 2\.00 +≤ 2\.4 × the floor +met$/)
    expect(findLine(text, 'first exchanges')).toMatch(/ 300 +≥ 1200 per second +NOT met$/)
    expect(findLine(text, 'growth of memory')).toMatch(/≤ 10 % +not measured$/)
  })

  it('says when answers were wrong, and when others used the machine', () => {
    expect(renderReport(makeReport(rows))).toMatch(/nothing else used the machine\n\nevery answer was right$/)
    const spoiled = [makeRow('floor', { otherCores: 0.25 })]
    expect(renderReport(makeReport(spoiled, 3))).toMatch(/up to 0\.25 cores busy.*\n\n3 answers were wrong$/)
  })

  it('puts the cost of a verification beside that of the signature', () => {
    const verifications = [makeVerification('ES256-jose', { perReference: 1.05, cpuMicroseconds: 105.04 })]
    const line = findLine(renderReport({ ...makeReport(rows), verifications }), 'verification ES256-jose')
    expect(line.split(/ {2,}/)).toEqual(['verification ES256-jose', 'ES256', '105.0', '1.050', '120.0'])
  })

  it('says nothing of servers and of other load where there were no servers', () => {
    const verifications = [makeVerification('ES256-jose')]
    const text = renderReport({ ...makeReport([]), postgres: null, verifications })
    expect(text).toMatch(
      /^machine {3}cores 2\nrun {7}2026-11-26T12:00:00\.000Z, 62 s in all\n\none verification/,
    )
    expect(text).not.toContain('used the machine')
  })
})

// The figures the project holds itself to, and whether a run met them.

import { costMs, type Figures } from '../meter/figures.ts'
import { growthOf } from './growth.ts'
import type { Bar, Row, Soak, Verification } from './report.ts'

/** A figure and its bound; undefined: not measured in this run. */
interface Rule {
  readonly figure: string
  readonly unit: string
  readonly digits: number
  readonly bound: { readonly atMost: number } | { readonly atLeast: number }
  readonly read: (rows: Rows, soak: Soak | null, verifications: Verifications) => number | undefined
}

type Rows = ReadonlyMap<string, Row>
type Verifications = ReadonlyMap<string, Verification>

const closed = (rows: Rows, id: string): Figures | undefined => rows.get(id)?.closed ?? undefined
const open = (rows: Rows, id: string): Figures | undefined => rows.get(id)?.open ?? undefined

const ratio = (value: number | undefined, base: number | undefined): number | undefined =>
  value === undefined || base === undefined ? undefined : value / base

const percent = (value: number | undefined, base: number | undefined): number | undefined => {
  const share = ratio(value, base)
  return share && share * 100
}

const cost = (rows: Rows, id: string): number | undefined => {
  const figures = closed(rows, id)
  return figures && costMs(figures)
}

const RULES: readonly Rule[] = [
  {
    figure: 'CPU per warm exchange, server and Postgres, 64 connections',
    unit: '× the floor',
    digits: 2,
    bound: { atMost: 2.4 },
    read: (rows) => ratio(cost(rows, 'warm-64'), cost(rows, 'floor')),
  },
  {
    figure: 'warm exchanges per second, 64 connections',
    unit: '% of the floor',
    digits: 1,
    bound: { atLeast: 38 },
    read: (rows) => percent(closed(rows, 'warm-64')?.perSecond, closed(rows, 'floor')?.perSecond),
  },
  {
    figure: 'p99 at 64 connections',
    unit: 'ms',
    digits: 2,
    bound: { atMost: 30 },
    read: (rows) => open(rows, 'warm-64')?.p99Ms,
  },
  {
    figure: 'p50 at 1 connection',
    unit: 'ms',
    digits: 2,
    bound: { atMost: 2 },
    read: (rows) => open(rows, 'warm-1')?.p50Ms,
  },
  {
    figure: 'first exchanges of a credential',
    unit: 'per second',
    digits: 0,
    bound: { atLeast: 1200 },
    read: (rows) => closed(rows, 'cold-64')?.perSecond,
  },
  {
    figure: 'CPU per warm exchange with the large database',
    unit: '× the small one',
    digits: 2,
    bound: { atMost: 1.15 },
    read: (rows) => ratio(cost(rows, 'large-64'), cost(rows, 'warm-64')),
  },
  {
    figure: 'p99 of valid exchanges beside 64 connections of invented credentials',
    unit: '× alone',
    digits: 1,
    bound: { atMost: 5 },
    read: (rows) => ratio(open(rows, 'valid-beside-flood')?.p99Ms, open(rows, 'valid-alone')?.p99Ms),
  },
  {
    figure: 'valid exchanges that failed beside them',
    unit: '',
    digits: 0,
    bound: { atMost: 0 },
    read: (rows) => open(rows, 'valid-beside-flood')?.failures,
  },
  {
    figure: 'read transactions per exchange, 64 connections',
    unit: '',
    digits: 3,
    bound: { atMost: 0.2 },
    read: (rows) => closed(rows, 'warm-64')?.reads,
  },
  {
    figure: 'write transactions per exchange, 64 connections',
    unit: '',
    digits: 3,
    bound: { atMost: 0.2 },
    read: (rows) => closed(rows, 'warm-64')?.writes,
  },
  {
    figure: 'growth of memory under full load',
    unit: '%',
    digits: 1,
    bound: { atMost: 10 },
    read: (_, soak) => (soak === null ? undefined : growthOf(soak.samples)),
  },
  {
    figure: 'CPU per verification, ES256, a token not seen before',
    unit: '× the signature alone',
    digits: 2,
    bound: { atMost: 1.2 },
    read: (_rows, _soak, verifications) => verifications.get('ES256-patmint-status')?.perReference,
  },
  {
    figure: 'CPU per verification, ES256, a token seen before',
    unit: '× less than the first time',
    digits: 1,
    bound: { atLeast: 20 },
    read: (_rows, _soak, verifications) =>
      ratio(
        verifications.get('ES256-patmint-status')?.cpuMicroseconds,
        verifications.get('ES256-patmint-status-again')?.cpuMicroseconds,
      ),
  },
]

/** Every bar with what was measured for it. */
export function judgeBars(
  rows: readonly Row[],
  soak: Soak | null,
  verifications: readonly Verification[],
): Bar[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const verificationsById = new Map(verifications.map((each) => [each.id, each]))
  return RULES.map(({ figure, unit, digits, bound, read }) => {
    const [sign, limit] = 'atMost' in bound ? ['≤', bound.atMost] : ['≥', bound.atLeast]
    const value = read(byId, soak, verificationsById)
    return {
      figure,
      bar: `${sign} ${limit} ${unit}`.trimEnd(),
      value: value === undefined ? null : value.toFixed(digits),
      isMet: value === undefined ? null : sign === '≤' ? value <= limit : value >= limit,
    }
  })
}

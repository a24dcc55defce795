// A report as text: one table of what was measured, and the bars below it.

import { costMs, type Figures } from '../meter/figures.ts'
import type { Bar, Report, Row, Verification } from './report.ts'
import { type Column, renderTable } from './table.ts'

/** The whole report. */
export function renderReport(report: Report): string {
  return [
    renderFacts(report),
    ...renderRows(report.rows),
    ...renderVerifications(report.verifications),
    renderTable(BAR_COLUMNS, report.bars),
    ...renderNoise(report.rows),
    report.failures === 0 ? 'every answer was right' : `${report.failures} answers were wrong`,
  ].join('\n\n')
}

function renderFacts({ machine, postgres, settings, preparations, startedAt, seconds }: Report): string {
  const list = (facts: Readonly<Record<string, string | number>>): string =>
    Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  const prepared = preparations.map(({ name, seconds: took }) => `${name} ${took.toFixed(1)} s`).join(', ')
  return [
    `machine   ${list(machine)}`,
    ...(postgres === null
      ? []
      : [`postgres  ${list(postgres)}`, `settings  ${list(settings)}`, `prepared  ${prepared}`]),
    `run       ${startedAt}, ${Math.round(seconds)} s in all`,
  ].join('\n')
}

/** Cores that others may keep busy before they spoil rates and latencies. */
const QUIET_CORES = 0.1

function renderNoise(rows: readonly Row[]): string[] {
  if (rows.length === 0) return []
  const busiest = Math.max(
    ...rows.map(({ closed, open }) => Math.max(closed?.otherCores ?? 0, open?.otherCores ?? 0)),
  )
  return [
    busiest <= QUIET_CORES
      ? 'nothing else used the machine'
      : `others kept up to ${busiest.toFixed(2)} cores busy: rates and latencies are worse than on a quiet machine`,
  ]
}

const renderRows = (rows: readonly Row[]): string[] =>
  rows.length === 0 ? [] : [renderTable(listColumns(rows), rows)]

const renderVerifications = (verifications: readonly Verification[]): string[] =>
  verifications.length === 0 ? [] : [renderTable(VERIFICATION_COLUMNS, verifications)]

const VERIFICATION_COLUMNS: readonly Column<Verification>[] = [
  { title: 'one verification', align: 'left', cell: ({ name }) => name },
  { title: '', align: 'left', cell: ({ algorithm }) => algorithm },
  { title: 'CPU µs', align: 'right', cell: ({ cpuMicroseconds }) => cpuMicroseconds.toFixed(1) },
  { title: '× signature', align: 'right', cell: ({ perReference }) => perReference.toFixed(3) },
  { title: 'µs', align: 'right', cell: ({ microseconds }) => microseconds.toFixed(1) },
]

function listColumns(rows: readonly Row[]): Column<Row>[] {
  const floor = rows.find(({ id }) => id === 'floor')?.closed ?? undefined
  return [
    { title: '', align: 'left', cell: ({ name }) => name },
    { title: 'conns', align: 'right', cell: ({ connections }) => String(connections) },
    closed('per s', 0, ({ perSecond }) => perSecond),
    closed('× floor', 2, ({ perSecond }) => floor && perSecond / floor.perSecond),
    {
      title: 'arriving/s',
      align: 'right',
      cell: ({ open }) => (open ? open.arrivingPerSecond.toFixed(0) : 'closed'),
    },
    latency('p50 ms', ({ p50Ms }) => p50Ms),
    latency('p99 ms', ({ p99Ms }) => p99Ms),
    closed('CPU server', 3, ({ serverCpuMs }) => serverCpuMs),
    closed('Postgres', 3, ({ postgresCpuMs }) => postgresCpuMs),
    closed('both', 3, costMs),
    closed('× floor', 2, (figures) => floor && costMs(figures) / costMs(floor)),
    closed('load', 3, ({ loadCpuMs }) => loadCpuMs),
    closed('reads', 3, ({ reads }) => reads),
    closed('writes', 3, ({ writes }) => writes),
    closed('RSS MiB', 0, ({ rssBytes }) => rssBytes / 2 ** 20),
    closed('others', 2, ({ otherCores }) => otherCores),
    {
      title: 'failed',
      align: 'right',
      cell: ({ closed, open }) => String((closed?.failures ?? 0) + (open?.failures ?? 0)),
    },
    { title: 'answers', align: 'left', cell: renderStatuses },
  ]
}

/** A figure of the closed loop. */
const closed = (
  title: string,
  digits: number,
  read: (figures: Figures) => number | undefined,
): Column<Row> => ({
  title,
  align: 'right',
  cell: ({ closed }) => (closed && read(closed)?.toFixed(digits)) ?? '',
})

/** A latency: of the open loop where there is one. */
const latency = (title: string, read: (figures: Figures) => number): Column<Row> => ({
  title,
  align: 'right',
  cell: ({ closed, open }) => {
    const figures = open ?? closed
    return figures ? read(figures).toFixed(2) : ''
  },
})

function renderStatuses({ closed, open }: Row): string {
  const figures = closed ?? open
  if (!figures) return ''
  return Object.entries(figures.statuses)
    .map(([status, count]) => `${status} ${((100 * count) / figures.requests).toFixed(0)} %`)
    .join(', ')
}

const BAR_COLUMNS: readonly Column<Bar>[] = [
  { title: 'bars', align: 'left', cell: ({ figure }) => figure },
  { title: 'measured', align: 'right', cell: ({ value }) => value ?? '' },
  { title: 'bar', align: 'left', cell: ({ bar }) => bar },
  {
    title: '',
    align: 'left',
    cell: ({ isMet }) => (isMet === null ? 'not measured' : isMet ? 'met' : 'NOT met'),
  },
]

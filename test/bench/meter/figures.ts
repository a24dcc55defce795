// The figures of one measurement, and of several of the same.

export interface Figures {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** CPU time per request, in milliseconds: of all processes of the server, of Postgres, of the load generator. */
  readonly serverCpuMs: number
  readonly postgresCpuMs: number
  readonly loadCpuMs: number
  /** Transactions per request that wrote nothing, and that wrote. */
  readonly reads: number
  readonly writes: number
  /** Resident memory of all processes of the server at the end. */
  readonly rssBytes: number
  /** Cores that anything else on this machine kept busy. */
  readonly otherCores: number
  readonly requests: number
  readonly failures: number
  /** How many answers had which status; 0 for none. */
  readonly statuses: Readonly<Record<string, number>>
}

/** What one request costs in CPU time, server and Postgres together, in milliseconds. */
export const costMs = ({ serverCpuMs, postgresCpuMs }: Figures): number => serverCpuMs + postgresCpuMs

const MEDIANS = [
  'perSecond',
  'p50Ms',
  'p99Ms',
  'serverCpuMs',
  'postgresCpuMs',
  'loadCpuMs',
  'reads',
  'writes',
  'rssBytes',
  'otherCores',
] as const satisfies (keyof Figures)[]

/** The median of each figure; requests, failures and statuses add up. Needs one round at least. */
export function combineRounds(rounds: readonly Figures[]): Figures {
  const [first] = rounds
  if (!first) throw new Error('nothing was measured')
  const medians = MEDIANS.map((name) => [name, median(rounds.map((round) => round[name]))])
  return {
    ...first,
    ...(Object.fromEntries(medians) as Pick<Figures, (typeof MEDIANS)[number]>),
    requests: rounds.reduce((sum, { requests }) => sum + requests, 0),
    failures: rounds.reduce((sum, { failures }) => sum + failures, 0),
    statuses: addStatuses(rounds),
  }
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const ascending = values.toSorted((a, b) => a - b)
  const middle = ascending.slice((values.length - 1) >> 1, (values.length >> 1) + 1)
  return middle.reduce((sum, value) => sum + value, 0) / middle.length
}

function addStatuses(rounds: readonly Figures[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { statuses } of rounds)
    for (const [status, count] of Object.entries(statuses)) sums[status] = (sums[status] ?? 0) + count
  return sums
}

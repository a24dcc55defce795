// One measurement: the load runs in, then counts for a while, with the meters read at both ends while it runs.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Load } from '../load/closed-loop.ts'
import type { Tally } from '../load/tally.ts'
import type { DatabaseMeter } from './database-meter.ts'
import { readProcessTree } from './process-tree.ts'

export interface Duration {
  readonly warmUpSeconds: number
  readonly seconds: number
}

/** Per request, unless the name says otherwise. Times in milliseconds. */
export interface Figures {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly serverCpuMs: number
  readonly postgresCpuMs: number
  readonly loadCpuMs: number
  readonly reads: number
  readonly writes: number
  readonly serverRssBytes: number
  readonly requests: number
  readonly failures: number
  readonly statuses: Readonly<Record<string, number>>
}

export interface Meters {
  readonly serverPid: number
  /** Undefined: there is no database behind this server. */
  readonly database: DatabaseMeter | undefined
}

interface Reading {
  readonly at: number
  readonly serverCpuMs: number
  readonly postgresCpuMs: number
  readonly loadCpuMs: number
  readonly transactions: number
  readonly writeTransactions: number
  readonly serverRssBytes: number
}

async function read({ serverPid, database }: Meters): Promise<Reading> {
  const postgres = await database?.read()
  const server = readProcessTree(serverPid)
  const { user, system } = process.cpuUsage()
  return {
    at: performance.now(),
    serverCpuMs: server.cpuMs,
    postgresCpuMs: postgres?.cpuMs ?? 0,
    loadCpuMs: (user + system) / 1000,
    transactions: postgres?.transactions ?? 0,
    writeTransactions: postgres?.writeTransactions ?? 0,
    serverRssBytes: server.rssBytes,
  }
}

/** Lets the load run in, measures it, and stops it. */
export async function measure(
  load: Load,
  tally: Tally,
  meters: Meters,
  duration: Duration,
): Promise<Figures> {
  await sleep(duration.warmUpSeconds * 1000)
  const before = await read(meters)
  load.count(tally)
  await sleep(duration.seconds * 1000)
  load.count(null)
  const after = await read(meters)
  await load.stop()
  return compare(before, after, tally)
}

function compare(before: Reading, after: Reading, tally: Tally): Figures {
  const per = (name: keyof Reading): number => (after[name] - before[name]) / tally.count
  const [p50Ms = Number.NaN, p99Ms = Number.NaN] = tally.percentiles([50, 99])
  const writes = per('writeTransactions')
  return {
    perSecond: (tally.count / (after.at - before.at)) * 1000,
    p50Ms,
    p99Ms,
    serverCpuMs: per('serverCpuMs'),
    postgresCpuMs: per('postgresCpuMs'),
    loadCpuMs: per('loadCpuMs'),
    reads: per('transactions') - writes,
    writes,
    serverRssBytes: after.serverRssBytes,
    requests: tally.count,
    failures: tally.failures,
    statuses: Object.fromEntries([...tally.statuses].map(([status, count]) => [String(status), count])),
  }
}

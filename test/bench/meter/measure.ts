// One measurement: the load runs in, then is counted for a while, with the meters read at both ends of that while.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Load } from '../load/load.ts'
import type { Span, Tally } from '../load/tally.ts'
import type { DatabaseMeter } from './database-meter.ts'
import type { Figures } from './figures.ts'
import { readBusyMs } from './machine.ts'
import { readProcessTree } from './process-tree.ts'

export interface Window {
  readonly warmUpSeconds: number
  readonly seconds: number
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
  readonly machineBusyMs: number
  readonly transactions: number
  readonly writeTransactions: number
  readonly rssBytes: number
}

/** Reading the meters holds up the load generator, and what was due meanwhile: that is not the server's latency. */
const SETTLE_MS = 200

/** Lets the load run in, counts it until the time is up or the requests are spent, and stops it. */
export async function measure(load: Load, tally: Tally, meters: Meters, window: Window): Promise<Figures> {
  await sleep(window.warmUpSeconds * 1000)
  const before = await read(meters)
  load.count(tally)
  const from = performance.now() + SETTLE_MS
  await waitOrSpent(load, window.seconds)
  load.count(null)
  const until = performance.now() - SETTLE_MS
  const after = await read(meters)
  await load.stop()
  return toFigures(before, after, tally, { from, until })
}

async function waitOrSpent(load: Load, seconds: number): Promise<void> {
  const waiting = new AbortController()
  const waited = sleep(seconds * 1000, undefined, { signal: waiting.signal }).catch(() => {})
  await Promise.race([waited, load.spent])
  waiting.abort()
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
    machineBusyMs: readBusyMs(),
    transactions: postgres?.transactions ?? 0,
    writeTransactions: postgres?.writeTransactions ?? 0,
    rssBytes: server.rssBytes,
  }
}

function toFigures(before: Reading, after: Reading, tally: Tally, span: Span): Figures {
  const spent = (name: keyof Reading): number => after[name] - before[name]
  const ours = spent('serverCpuMs') + spent('postgresCpuMs') + spent('loadCpuMs')
  const [p50Ms = Number.NaN, p99Ms = Number.NaN] = tally.percentiles([50, 99], span)
  return {
    perSecond: (tally.count / spent('at')) * 1000,
    p50Ms,
    p99Ms,
    serverCpuMs: spent('serverCpuMs') / tally.count,
    postgresCpuMs: spent('postgresCpuMs') / tally.count,
    loadCpuMs: spent('loadCpuMs') / tally.count,
    // The two are not counted at quite the same instant, and the difference of a short while may come out below none.
    reads: Math.max(0, spent('transactions') - spent('writeTransactions')) / tally.count,
    writes: spent('writeTransactions') / tally.count,
    rssBytes: after.rssBytes,
    otherCores: Math.max(0, spent('machineBusyMs') - ours) / spent('at'),
    requests: tally.count,
    failures: tally.failures,
    statuses: Object.fromEntries([...tally.statuses].map(([status, count]) => [String(status), count])),
  }
}

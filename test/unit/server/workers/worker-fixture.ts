// Workers without processes: each notes what it is told, and ends when the test says so.

import { createLogger } from '../../../../src/server/http/log.ts'
import { WorkerPool } from '../../../../src/server/workers/worker-pool.ts'
import type { WorkerProcess } from '../../../../src/server/workers/worker-process.ts'

export const ADDRESS = { host: '127.0.0.1', port: 0 }
export const ASSIGNMENT = {
  issuer: 'http://localhost:7000',
  databaseUrl: 'postgres://db/patmint',
  dataDir: 'd',
}

export interface FakeWorker extends WorkerProcess {
  readonly told: string[]
  readonly end: (how: string) => void
}

export interface Workplace {
  readonly pool: WorkerPool
  /** Every worker ever forked, oldest first. */
  readonly workers: FakeWorker[]
  /** Waits between starts, in milliseconds. */
  readonly waits: number[]
  readonly messages: () => string[]
  /** What workers forked from now on answer: the port they listen on, or why they end. */
  answer: number | string
  nowMs: number
}

export function openWorkplace(count: number): Workplace {
  const logged: string[] = []
  const log = createLogger('info', { write: (line) => logged.push(JSON.parse(line).msg) })
  const workplace: Workplace = {
    pool: new WorkerPool({
      count,
      log,
      retireMs: 1000,
      fork: () => {
        const worker = createFakeWorker(1000 + workplace.workers.length, workplace.answer)
        workplace.workers.push(worker)
        return worker
      },
      now: () => workplace.nowMs,
      sleep: (ms) => {
        workplace.waits.push(ms)
        return turn()
      },
    }),
    workers: [],
    waits: [],
    messages: () => logged,
    answer: 7000,
    nowMs: 0,
  }
  return workplace
}

/** A workplace whose `count` workers serve. */
export async function openServingWorkplace(count: number): Promise<Workplace> {
  const workplace = openWorkplace(count)
  await workplace.pool.listen(ADDRESS)
  await workplace.pool.serve(ASSIGNMENT)
  return workplace
}

function createFakeWorker(pid: number, answer: number | string): FakeWorker {
  const told: string[] = []
  const { promise: ended, resolve: end } = Promise.withResolvers<string>()
  const obey = async (order: string): Promise<void> => {
    told.push(order)
    if (typeof answer === 'number') return
    end(answer)
    throw new Error(answer)
  }
  const endWhenTold = (order: string) => (): void => {
    told.push(order)
    end(order)
  }
  return {
    pid,
    told,
    ended,
    end,
    listen: () => obey('listen').then(() => Number(answer)),
    compose: () => obey('compose'),
    measure: async () => (typeof answer === 'number' ? { pid } : null),
    // It takes as long as its connections do.
    retire: () => told.push('retire'),
    stop: endWhenTold('stop'),
    kill: endWhenTold('kill'),
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Lets everything that can happen without a further event happen, a wait before a start included. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 3; turns += 1) await turn()
}

// One worker as the primary sees it. The only importer of node:cluster's primary side.

import cluster, { type Worker } from 'node:cluster'
import { type Address, type Assignment, isReport, type Order, type Report } from './message.ts'

export interface WorkerProcess {
  readonly pid: number
  /** Resolves with how it ended: the reason it gave, else its exit code or signal in words. */
  readonly ended: Promise<string>
  /** Gives the port. Rejects when it ends before, as `compose` does. */
  readonly listen: (address: Address) => Promise<number>
  readonly compose: (assignment: Assignment) => Promise<void>
  /** What it says of itself in numbers; null when it does not answer in time. */
  readonly measure: () => Promise<unknown>
  readonly retire: () => void
  readonly stop: () => void
  readonly kill: () => void
}

/** Within the time-out of a scrape; a worker that has no time for it may still have some for clients. */
const MEASURE_MS = 3000
/** A worker that does not answer an order within this time never will: each statement has its own time-out. */
const ANSWER_MS = 60_000

/** Starts a worker: this same program with the command `worker`. */
export function forkWorker(): WorkerProcess {
  // Connections are dealt out in turn, each by the primary: see docs/decisions.
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({ args: ['worker'] })
  return watch(cluster.fork())
}

function watch(worker: Worker): WorkerProcess {
  const { promise: attentive, resolve: becomeAttentive } = Promise.withResolvers<void>()
  const { promise: ended, resolve: end } = Promise.withResolvers<string>()
  let reason: string | undefined
  worker.on('message', (message: unknown) => {
    if (!isReport(message)) return
    if (message.type === 'patmint:attentive') becomeAttentive()
    if (message.type === 'patmint:failed') reason = message.reason
  })
  // Of what it could not be told it will not do: whether it lives is what counts. A process that was never started
  // does not exit.
  worker.on('error', (error) => {
    if (worker.process.pid === undefined) end(error.message)
  })
  worker.once('exit', (code, signal) => {
    const tellEnd = (): void =>
      end(reason ?? `a worker ended ${signal ? `by ${signal}` : `with exit code ${code}`}`)
    // What it said last may still be on its way.
    if (worker.isConnected()) worker.once('disconnect', tellEnd)
    else tellEnd()
  })
  const tell = (order: Order): void => {
    // Before that nobody would hear it.
    void attentive.then(() => worker.isConnected() && worker.send(order, () => {}))
  }
  const ask = createAsk(worker, tell, ended)
  return {
    pid: worker.process.pid ?? 0,
    ended,
    listen: async (address) => (await ask({ type: 'patmint:listen', address }, 'patmint:listening')).port,
    compose: async (assignment) => {
      await ask({ type: 'patmint:compose', assignment }, 'patmint:composed')
    },
    measure: () =>
      ask({ type: 'patmint:measure' }, 'patmint:measured', MEASURE_MS).then(
        ({ snapshot }) => snapshot,
        () => null,
      ),
    retire: () => tell({ type: 'patmint:retire' }),
    stop: () => tell({ type: 'patmint:stop' }),
    kill: () => void worker.process.kill('SIGKILL'),
  }
}

type Answer<Type extends Report['type']> = Extract<Report, { type: Type }>

/** Gives an order and waits for its answer; rejects when the worker ends, or takes longer than `limitMs`. */
const createAsk =
  (worker: Worker, tell: (order: Order) => void, ended: Promise<string>) =>
  async <Type extends Report['type']>(
    order: Order,
    type: Type,
    limitMs = ANSWER_MS,
  ): Promise<Answer<Type>> => {
    const { promise: answered, resolve, reject } = Promise.withResolvers<Answer<Type>>()
    const listen = (message: unknown): void => {
      if (isReport(message) && message.type === type) resolve(message as Answer<Type>)
    }
    const giveUp = (): void => reject(new Error(`a worker has not answered within ${limitMs / 1000} s`))
    const timer = setTimeout(giveUp, limitMs)
    worker.on('message', listen)
    tell(order)
    try {
      return await Promise.race([answered, ended.then((how) => Promise.reject(new Error(how)))])
    } finally {
      worker.off('message', listen)
      clearTimeout(timer)
    }
  }

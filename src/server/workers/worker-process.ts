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
  readonly retire: () => void
  readonly stop: () => void
  readonly kill: () => void
}

/** A worker that cannot answer an order within this time never will: each statement has its own time-out. */
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
  // A process that could not be started, or not be told something: whether it lives is what counts.
  worker.on('error', (error) => {
    reason ??= error.message
    if (worker.process.pid === undefined) end(reason)
  })
  worker.once('exit', (code, signal) => {
    const tellEnd = (): void =>
      end(reason ?? `a worker ended ${signal ? `by ${signal}` : `with exit code ${code}`}`)
    // What it said last may still be on its way.
    if (worker.isConnected()) worker.once('disconnect', tellEnd)
    else tellEnd()
  })
  const kill = (): void => void worker.process.kill('SIGKILL')
  const tell = (order: Order): void => {
    // Before that nobody would hear it.
    void attentive.then(() => worker.isConnected() && worker.send(order, () => {}))
  }
  const ask = createAsk(worker, { tell, kill, ended })
  return {
    pid: worker.process.pid ?? 0,
    ended,
    listen: async (address) => (await ask({ type: 'patmint:listen', address }, 'patmint:listening')).port,
    compose: async (assignment) => {
      await ask({ type: 'patmint:compose', assignment }, 'patmint:composed')
    },
    retire: () => tell({ type: 'patmint:retire' }),
    stop: () => tell({ type: 'patmint:stop' }),
    kill,
  }
}

type Answer<Type extends Report['type']> = Extract<Report, { type: Type }>

/** Gives an order and waits for its answer. */
const createAsk =
  (
    worker: Worker,
    { tell, kill, ended }: Pick<WorkerProcess, 'kill' | 'ended'> & { tell: (order: Order) => void },
  ) =>
  async <Type extends Report['type']>(order: Order, type: Type): Promise<Answer<Type>> => {
    const { promise: answered, resolve } = Promise.withResolvers<Answer<Type>>()
    const listen = (message: unknown): void => {
      if (isReport(message) && message.type === type) resolve(message as Answer<Type>)
    }
    const timer = setTimeout(kill, ANSWER_MS)
    worker.on('message', listen)
    tell(order)
    try {
      return await Promise.race([answered, ended.then((how) => Promise.reject(new Error(how)))])
    } finally {
      worker.off('message', listen)
      clearTimeout(timer)
    }
  }

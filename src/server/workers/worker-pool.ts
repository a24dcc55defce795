// Keeps a number of workers serving on one port: replaces those that end, and all of them, one after the other, when
// asked to. Knows nothing of what they serve.

import type { Logger } from '../http/log.ts'
import { BackOff } from './back-off.ts'
import type { Address, Assignment } from './message.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface WorkerPoolOptions {
  readonly count: number
  readonly fork: () => WorkerProcess
  /** How long a worker that retires may take. */
  readonly retireMs: number
  readonly log: Logger
  /** Milliseconds that only grow. */
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<unknown>
}

export class WorkerPool {
  /** Rejects when no worker serves and further ones do not get that far. */
  readonly broken: Promise<never>
  readonly #options: WorkerPoolOptions
  readonly #break: (error: Error) => void
  /** Every process that has not ended. */
  readonly #alive = new Set<WorkerProcess>()
  readonly #serving = new Set<WorkerProcess>()
  /** Those that still serve the connections they have. */
  readonly #retiring = new Set<WorkerProcess>()
  readonly #backOff = new BackOff()
  #address: Address = { host: '', port: 0 }
  /** The one that was bound, where `#address` says 0. */
  #port = 0
  #assignment: Assignment | null = null
  #isStopping = false
  #restarting: Promise<void> = Promise.resolve()
  #isRestartWaiting = false

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => {})
    this.broken = promise
    this.#break = reject
  }

  /** Starts the workers and has them listen, not yet serve; gives the port. Rejects when one cannot. */
  async listen(address: Address): Promise<number> {
    this.#address = address
    const workers = Array.from({ length: this.#options.count }, () => this.#fork())
    const [port = 0] = await Promise.all(workers.map((worker) => worker.listen(address)))
    this.#port = port
    return port
  }

  /** Has those that listen serve, and keeps their number. Rejects when one cannot. */
  async serve(assignment: Assignment): Promise<void> {
    this.#assignment = assignment
    const workers = [...this.#alive]
    await Promise.all(workers.map((worker) => worker.compose(assignment)))
    for (const worker of workers) this.#enlist(worker)
  }

  /**
   * Replaces every worker, a new one serving before an old one leaves; the configuration is read anew. When a new one
   * cannot serve, the old ones go on. While it is under way, one more is kept in mind.
   */
  restart(): void {
    if (this.#isRestartWaiting) return
    this.#isRestartWaiting = true
    this.#restarting = this.#restarting.then(() => {
      this.#isRestartWaiting = false
      return this.#replaceAll()
    })
  }

  /** What each worker that serves says of itself in numbers, by its process id; null where it does not answer. */
  async measure(): Promise<Map<number, unknown>> {
    const asked = [...this.#serving, ...this.#retiring]
    return new Map(
      await Promise.all(asked.map(async (worker) => [worker.pid, await worker.measure()] as const)),
    )
  }

  /** Resolves when every worker has answered what is in flight and ended. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#serving.clear()
    for (const worker of this.#alive) worker.stop()
    await Promise.all([...this.#alive].map(({ ended }) => ended))
  }

  /** Ends what is left, whatever it is doing. */
  kill(): void {
    this.#isStopping = true
    this.#serving.clear()
    for (const worker of this.#alive) worker.kill()
  }

  #fork(): WorkerProcess {
    const worker = this.#options.fork()
    this.#alive.add(worker)
    void worker.ended.then(() => this.#alive.delete(worker))
    return worker
  }

  #enlist(worker: WorkerProcess): void {
    const { log, now } = this.#options
    const since = now()
    this.#serving.add(worker)
    log.info({ worker: worker.pid }, 'worker started')
    void worker.ended.then((how) => {
      // Retired, or told to stop.
      if (!this.#serving.delete(worker)) return
      log.error({ worker: worker.pid, how }, 'worker ended')
      this.#backOff.count(now() - since)
      void this.#replace(how)
    })
  }

  /** Starts a worker for one that ended, again and again while that fails and others serve. */
  async #replace(how: string): Promise<void> {
    let reason = how
    while (!this.#isStopping) {
      if (this.#backOff.isHopeless && this.#serving.size === 0) return this.#giveUp(reason)
      await this.#options.sleep(this.#backOff.waitMs)
      const failure = await this.#start()
      if (failure === null) return
      reason = failure
      this.#backOff.count(0)
    }
  }

  #giveUp(reason: string): void {
    this.#isStopping = true
    this.#break(new Error(`workers end again and again: ${reason}`))
  }

  /** Starts one worker and waits until it serves. Gives the reason when it does not. */
  async #start(): Promise<string | null> {
    if (this.#isStopping || !this.#assignment) return null
    const { log } = this.#options
    const worker = this.#fork()
    try {
      // It gets connections as soon as it listens, so that comes last.
      await worker.compose(this.#assignment)
      const port = await worker.listen(this.#address)
      // Port 0 is given anew when nobody listens any more, and clients know the old one.
      if (port !== this.#port) throw new Error(`port ${this.#port} was lost`)
    } catch (error) {
      worker.kill()
      const reason = error instanceof Error ? error.message : String(error)
      if (!this.#isStopping) log.error({ worker: worker.pid, reason }, 'worker did not start')
      return reason
    }
    if (!this.#isStopping) this.#enlist(worker)
    return null
  }

  async #replaceAll(): Promise<void> {
    const { log } = this.#options
    log.info({ workers: this.#serving.size }, 'rolling restart')
    for (const worker of [...this.#serving]) {
      if (this.#isStopping) return
      // It ended by itself, and has been replaced.
      if (!this.#serving.has(worker)) continue
      if ((await this.#start()) !== null) {
        log.error({}, 'rolling restart given up: the workers there are serve on')
        return
      }
      await this.#retire(worker)
    }
    if (!this.#isStopping) log.info({}, 'rolling restart done')
  }

  async #retire(worker: WorkerProcess): Promise<void> {
    if (!this.#serving.delete(worker)) return
    this.#retiring.add(worker)
    worker.retire()
    const timer = setTimeout(() => worker.kill(), this.#options.retireMs)
    await worker.ended
    clearTimeout(timer)
    this.#retiring.delete(worker)
  }
}

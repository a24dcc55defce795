// An open loop: requests arrive on a fixed schedule, whether or not the last ones were answered. A latency counts from
// the instant the request was due, so that whoever had to wait for a stalled server is counted with all of the wait
// (no coordinated omission).

import { planArrivals } from './arrivals.ts'
import { Connection, LOST, type Target } from './connection.ts'
import type { Load, LoadOptions } from './load.ts'
import { type Pacer, startPacer } from './pacer.ts'
import type { Tally } from './tally.ts'

interface Arrival {
  readonly dueAt: number
  /** The tally of the time it was due; null when nothing was counted then. */
  readonly tally: Tally | null
}

export interface OpenLoopOptions extends LoadOptions {
  readonly perSecond: number
}

/** After this long, what still waits for a connection has failed; what was sent has been answered or given up. */
const DRAIN_MS = 30_000

/** Starts the schedule. Rejects when a connection cannot be made at first. */
export async function startOpenLoop(options: OpenLoopOptions): Promise<Load> {
  const { target, connections, next, perSecond } = options
  const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(target)))
  const loop = new OpenLoop(target, opened, next)
  const { tickMs, arrivalsAt } = planArrivals(perSecond)
  const pacer = await startPacer(tickMs, (tick, dueAt) => {
    for (let count = arrivalsAt(tick); count > 0; count -= 1) loop.arrive(dueAt)
  })
  return {
    count: (tally) => loop.count(tally),
    spent: new Promise(() => {}),
    stop: () => loop.stop(pacer),
  }
}

class OpenLoop {
  readonly #target: Target
  readonly #next: () => Buffer | null
  /** First in, first out, so that none of them lies idle until the server closes it. */
  readonly #free: Connection[]
  readonly #waiting: Arrival[] = []
  #tally: Tally | null = null
  #underWay = 0
  /** Nothing arrives any more, but what waits is still sent. */
  #isStopped = false
  #isOver = false
  readonly #idle = Promise.withResolvers<void>()

  constructor(target: Target, connections: Connection[], next: () => Buffer | null) {
    this.#target = target
    this.#free = connections
    this.#next = next
  }

  count(tally: Tally | null): void {
    this.#tally = tally
  }

  arrive(dueAt: number): void {
    if (this.#isStopped) return
    this.#waiting.push({ dueAt, tally: this.#tally })
    this.#dispatch()
  }

  async stop(pacer: Pacer): Promise<void> {
    this.#isStopped = true
    await pacer.stop()
    const giveUp = setTimeout(() => this.#idle.resolve(), DRAIN_MS)
    this.#noteIdle()
    await this.#idle.promise
    clearTimeout(giveUp)
    this.#isOver = true
    for (const { dueAt, tally } of this.#waiting)
      tally?.add(performance.now() - dueAt, LOST, Buffer.from('no connection became free'))
    for (const connection of this.#free) connection.close()
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const connection = this.#free.shift()
      if (!connection) return
      if (connection.isOpen) this.#send(connection)
      else void this.#replace()
    }
  }

  #send(connection: Connection): void {
    const arrival = this.#waiting.shift()
    const request = this.#next()
    if (!arrival || !request) return
    this.#underWay += 1
    connection.send(request, (status, body) => {
      arrival.tally?.add(performance.now() - arrival.dueAt, status, body)
      this.#underWay -= 1
      this.#free.push(connection)
      this.#dispatch()
      this.#noteIdle()
    })
  }

  async #replace(): Promise<void> {
    const connection = await Connection.reopen(this.#target, undefined, () => this.#isOver)
    if (!connection) return
    this.#free.push(connection)
    if (this.#isOver) connection.close()
    else this.#dispatch()
  }

  #noteIdle(): void {
    if (this.#isStopped && this.#underWay === 0 && this.#waiting.length === 0) this.#idle.resolve()
  }
}

// Where hashes wait for a thread: so many at once, so many waiting, and nobody for long. Each credential has a lane, and
// the lanes take turns: a flood of guesses at one credential leaves the threads to all others.

import { OverloadError, type OverloadReason } from '../../protocol/overload.ts'

export interface HashQueueLimits {
  /** Hashes computed at the same time. */
  readonly atOnce: number
  /** Hashes that wait for their turn, of all credentials together. */
  readonly waiting: number
  /** How long one may wait. */
  readonly waitMs: number
}

/** For whoever measures. */
export interface HashObserver {
  /** A hash is through, or failed; both took their time. */
  readonly onHash: (timing: { readonly waitedMs: number; readonly tookMs: number }) => void
  /** A hash was refused. */
  readonly onOverload: (reason: OverloadReason) => void
}

interface Turn {
  readonly start: () => void
  readonly timer: NodeJS.Timeout
}

interface Lane {
  readonly id: string
  readonly turns: Set<Turn>
  isBusy: boolean
}

/** Different values of one credential that may wait: its owner has one, and the others are guesses. */
export const MAX_WAITING_IN_LANE = 8

export class HashQueue {
  readonly #limits: HashQueueLimits
  readonly #observer: Partial<HashObserver>
  /** Those with a hash under way or waiting. */
  readonly #lanes = new Map<string, Lane>()
  /** Those with a hash waiting and none under way, in the order of their turns. */
  readonly #ready = new Set<Lane>()
  #running = 0
  #waiting = 0

  constructor(limits: HashQueueLimits, observer: Partial<HashObserver> = {}) {
    this.#limits = limits
    this.#observer = observer
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Runs `hash` when it is the turn of `laneId`; throws an `OverloadError` when that would take too long. */
  async run<T>(laneId: string, hash: () => Promise<T>): Promise<T> {
    const askedAt = performance.now()
    const lane = await this.#takeTurn(laneId)
    const startedAt = performance.now()
    try {
      return await hash()
    } finally {
      this.#endTurn(lane)
      this.#observer.onHash?.({ waitedMs: startedAt - askedAt, tookMs: performance.now() - startedAt })
    }
  }

  async #takeTurn(laneId: string): Promise<Lane> {
    const lane = this.#lanes.get(laneId) ?? { id: laneId, turns: new Set(), isBusy: false }
    // No lane is ready while a thread is free, so that whoever finds one overtakes nobody.
    if (!lane.isBusy && this.#running < this.#limits.atOnce) {
      this.#occupy(lane)
      return lane
    }
    if (this.#waiting >= this.#limits.waiting || lane.turns.size >= MAX_WAITING_IN_LANE)
      throw this.#refuse('hash_queue_full')
    await this.#wait(lane)
    return lane
  }

  #wait(lane: Lane): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = (): void => {
      this.#remove(lane, turn)
      if (lane.turns.size === 0) this.#ready.delete(lane)
      this.#forgetIdle(lane)
      reject(this.#refuse('hash_queue_slow'))
    }
    const turn = { start: resolve, timer: setTimeout(giveUp, this.#limits.waitMs) }
    this.#lanes.set(lane.id, lane)
    lane.turns.add(turn)
    this.#waiting += 1
    if (!lane.isBusy) this.#ready.add(lane)
    return promise
  }

  #refuse(reason: OverloadReason): OverloadError {
    this.#observer.onOverload?.(reason)
    return new OverloadError(reason)
  }

  #endTurn(lane: Lane): void {
    lane.isBusy = false
    this.#running -= 1
    // Behind the others: every credential gets a hash before one gets its second.
    if (lane.turns.size > 0) this.#ready.add(lane)
    this.#forgetIdle(lane)
    this.#startNext()
  }

  #startNext(): void {
    const [lane] = this.#ready
    const [turn] = lane?.turns ?? []
    if (!lane || !turn) return
    this.#ready.delete(lane)
    this.#remove(lane, turn)
    this.#occupy(lane)
    turn.start()
  }

  #occupy(lane: Lane): void {
    lane.isBusy = true
    this.#running += 1
    this.#lanes.set(lane.id, lane)
  }

  #remove(lane: Lane, turn: Turn): void {
    clearTimeout(turn.timer)
    lane.turns.delete(turn)
    this.#waiting -= 1
  }

  #forgetIdle(lane: Lane): void {
    if (!lane.isBusy && lane.turns.size === 0) this.#lanes.delete(lane.id)
  }
}

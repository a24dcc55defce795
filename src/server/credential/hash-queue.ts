// Where hashes wait for a thread: so many at once, so many waiting, and nobody for long. Whoever waits here brought the
// right secret, or makes a credential: a wrong one is told by its tag.

import { OverloadError, type OverloadReason } from '../../protocol/overload.ts'

export interface HashQueueLimits {
  /** Hashes computed at the same time. */
  readonly atOnce: number
  /** Hashes that wait for their turn. */
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

export class HashQueue {
  readonly #limits: HashQueueLimits
  readonly #observer: Partial<HashObserver>
  /** In the order they came. */
  readonly #turns = new Set<Turn>()
  #running = 0

  constructor(limits: HashQueueLimits, observer: Partial<HashObserver> = {}) {
    this.#limits = limits
    this.#observer = observer
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#turns.size
  }

  /** Runs `hash` when it is its turn; throws an `OverloadError` when that would take too long. */
  async run<T>(hash: () => Promise<T>): Promise<T> {
    const askedAt = performance.now()
    if (this.#running < this.#limits.atOnce) this.#running += 1
    else await this.#waitForThread()
    const startedAt = performance.now()
    try {
      return await hash()
    } finally {
      this.#passThreadOn()
      this.#observer.onHash?.({ waitedMs: startedAt - askedAt, tookMs: performance.now() - startedAt })
    }
  }

  #waitForThread(): Promise<void> {
    if (this.#turns.size >= this.#limits.waiting) throw this.#refuse('hash_queue_full')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = (): void => {
      this.#turns.delete(turn)
      reject(this.#refuse('hash_queue_slow'))
    }
    const turn = { start: resolve, timer: setTimeout(giveUp, this.#limits.waitMs) }
    this.#turns.add(turn)
    return promise
  }

  #refuse(reason: OverloadReason): OverloadError {
    this.#observer.onOverload?.(reason)
    return new OverloadError(reason)
  }

  /** To whoever waits longest, so that nobody who comes meanwhile overtakes them. */
  #passThreadOn(): void {
    const [next] = this.#turns
    if (!next) {
      this.#running -= 1
      return
    }
    clearTimeout(next.timer)
    this.#turns.delete(next)
    next.start()
  }
}

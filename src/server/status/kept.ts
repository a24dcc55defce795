// A value that is read anew when somebody asks for it and it has grown old: once, however many ask. While reading fails
// or takes long, the last value stands in for as long as it holds. Nothing is read when nobody asks.

import { waitAtMost } from '../db/time-limit.ts'

export interface Dated<Value> {
  readonly value: Value
  /** It is as old as this, or newer. */
  readonly readAt: Date
}

export interface KeptOptions<Value> {
  readonly read: (now: Date) => Promise<Value>
  /** How old it may grow before it is read anew. */
  readonly freshMs: number
  /** How long it holds at most. */
  readonly holdsMs: number
  readonly clock: () => Date
  /** Told of each reading that failed. */
  readonly onError: (error: unknown) => void
}

/** How long whoever could have the last value waits for a new one, as long as the last is nearly fresh. */
const PATIENCE_MS = 1000
/** So many times as old as fresh it stands in for a reading that failed, and not for one that takes long. */
const NEARLY_FRESH = 1.5
/** After a reading that failed the last value does for so long. */
const RETRY_MS = 2000

export class Kept<Value> {
  readonly #options: KeptOptions<Value>
  #last: Dated<Value> | undefined
  #reading: Promise<Dated<Value>> | undefined
  #failedAt: Date | undefined

  constructor(options: KeptOptions<Value>) {
    this.#options = options
  }

  /** The value. Fails as reading it does, when there is none that holds. */
  async get(): Promise<Dated<Value>> {
    const last = this.#isWithin(this.#last?.readAt, this.#options.holdsMs) ? this.#last : undefined
    if (!last) return this.renew()
    const { freshMs } = this.#options
    if (this.#isWithin(last.readAt, freshMs) || this.#isWithin(this.#failedAt, RETRY_MS)) return last
    const renewed = this.renew()
    const isNearlyFresh = this.#isWithin(last.readAt, freshMs * NEARLY_FRESH)
    return (isNearlyFresh ? waitAtMost(PATIENCE_MS, renewed) : renewed).catch(() => last)
  }

  /** The value as it is read now, or as somebody is reading it. */
  renew(): Promise<Dated<Value>> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<Dated<Value>> {
    const { read, clock, onError } = this.#options
    const readAt = clock()
    try {
      this.#last = { value: await read(readAt), readAt }
      this.#failedAt = undefined
      return this.#last
    } catch (error) {
      this.#failedAt = clock()
      onError(error)
      throw error
    }
  }

  /** Of a clock that was set back, neither before nor after is sure. */
  #isWithin(instant: Date | undefined, ms: number): boolean {
    return instant !== undefined && Math.abs(this.#options.clock().getTime() - instant.getTime()) < ms
  }
}

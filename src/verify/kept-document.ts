// A document of the issuer as this process knows it: refreshed ahead of time while it is in use, fetched once however
// many ask, and served for a bounded time while the issuer is away. Knows neither keys nor lists.

import { type Schedule, settleWithin } from './schedule.ts'

/** A document that was fetched. Instants are milliseconds since the epoch. */
export interface Copy<Value> {
  readonly value: Value
  readonly fetchedAt: number
  /** From then on it serves only while no newer one can be had. */
  readonly freshUntil: number
  /** From then on it serves no more. */
  readonly usableUntil: number
}

export interface KeptDocumentSettings<Value> {
  /** Fetches a copy that is usable, or rejects. */
  readonly fetch: (previous: Value | undefined) => Promise<Copy<Value>>
  readonly now: () => Date
  readonly schedule: Schedule
  /** Told of each copy that was fetched. */
  readonly onFetched?: (() => void) | undefined
}

/** Pause after a fetch that failed: an issuer that is struggling is not asked once per token. */
const RETRY_PAUSE_MS = 5_000
/** So long a newer copy is waited for where an older one would do. */
const PATIENCE_MS = 1_000
/** By so much, and a third of the time it is fresh at most, a copy is refreshed before that is over. */
const AHEAD_MS = 5_000
/** What nobody has asked for in so long is no more refreshed until somebody does. */
const IDLE_MS = 600_000

export class KeptDocument<Value> {
  readonly #settings: KeptDocumentSettings<Value>
  #copy: Copy<Value> | undefined
  #refreshAt = Number.NEGATIVE_INFINITY
  #attemptedAt = Number.NEGATIVE_INFINITY
  #usedAt = Number.NEGATIVE_INFINITY
  /** Why the latest attempt failed; `undefined` after one that worked. */
  #failure: { readonly cause: unknown } | undefined
  #fetching: Promise<void> | undefined
  #cancelRefresh: (() => void) | undefined
  #isClosed = false

  constructor(settings: KeptDocumentSettings<Value>) {
    this.#settings = settings
  }

  get failure(): { readonly cause: unknown } | undefined {
    return this.#failure
  }

  /** The latest copy, usable or not. */
  get copy(): Copy<Value> | undefined {
    return this.#copy
  }

  /**
   * What can be served without waiting: a fresh copy, or a stale one while the issuer is known to be away. Starts a
   * refresh where one is due.
   */
  peek(nowMs: number): Value | undefined {
    this.#usedAt = nowMs
    const copy = this.#copy
    if (!copy) return undefined
    // A clock set back must not make a copy young for as long as it was set back.
    const isFresh = nowMs < copy.freshUntil && nowMs >= copy.fetchedAt
    if (!isFresh || nowMs >= this.#refreshAt) this.#startRefresh(nowMs)
    if (isFresh) return copy.value
    return this.#failure && nowMs < copy.usableUntil ? copy.value : undefined
  }

  /** What serves in need: any copy that is not too old. */
  get usable(): Value | undefined {
    return this.#copy && this.#nowMs() < this.#copy.usableUntil ? this.#copy.value : undefined
  }

  /** As `peek`, but waits for the issuer where that is `undefined`; still `undefined` when no copy is usable then. */
  async get(): Promise<Value | undefined> {
    const value = this.peek(this.#nowMs())
    if (value !== undefined) return value
    const refreshed = this.refresh()
    await (this.usable === undefined
      ? refreshed
      : settleWithin(refreshed, this.#settings.schedule, PATIENCE_MS))
    return this.usable
  }

  /** Fetches unless the last attempt is too recent; who asks at the same time shares one request. Never rejects. */
  async refresh(pauseMs = 0): Promise<void> {
    const nowMs = this.#nowMs()
    if (this.#fetching || !this.#isAttemptedWithin(pauseMs, nowMs)) this.#startRefresh(nowMs)
    await this.#fetching
  }

  /** Takes a copy that was kept elsewhere, unless it serves no more or the one at hand is newer. */
  adopt(copy: Copy<Value>): boolean {
    const isNewer = !this.#copy || this.#copy.fetchedAt < copy.fetchedAt
    if (!isNewer || !(this.#nowMs() < copy.usableUntil)) return false
    this.#take(copy)
    return true
  }

  /** Ends the refreshes in the background. */
  close(): void {
    this.#isClosed = true
    this.#cancelRefresh?.()
  }

  #startRefresh(nowMs: number): void {
    if (this.#fetching || (this.#failure && this.#isAttemptedWithin(RETRY_PAUSE_MS, nowMs))) return
    this.#fetching = this.#fetch().finally(() => {
      this.#fetching = undefined
    })
  }

  async #fetch(): Promise<void> {
    try {
      this.#take(await this.#settings.fetch(this.#copy?.value))
      this.#failure = undefined
      this.#settings.onFetched?.()
    } catch (cause) {
      this.#failure = { cause }
      this.#refreshIn(RETRY_PAUSE_MS)
    }
    this.#attemptedAt = this.#nowMs()
  }

  #take(copy: Copy<Value>): void {
    this.#copy = copy
    const freshMs = copy.freshUntil - copy.fetchedAt
    const waitMs = freshMs - Math.min(AHEAD_MS, freshMs / 3)
    this.#refreshAt = copy.fetchedAt + waitMs
    this.#refreshIn(this.#refreshAt - this.#nowMs())
  }

  #refreshIn(waitMs: number): void {
    this.#cancelRefresh?.()
    if (this.#isClosed) return
    this.#cancelRefresh = this.#settings.schedule(
      () => {
        const nowMs = this.#nowMs()
        if (nowMs - this.#usedAt < IDLE_MS) this.#startRefresh(nowMs)
      },
      Math.max(0, waitMs),
    )
  }

  #isAttemptedWithin(durationMs: number, nowMs: number): boolean {
    const ageMs = nowMs - this.#attemptedAt
    return ageMs >= 0 && ageMs < durationMs
  }

  #nowMs(): number {
    return this.#settings.now().getTime()
  }
}

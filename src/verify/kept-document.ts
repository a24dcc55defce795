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
  /** Fetches a copy, or rejects; ends early when the signal says so. */
  readonly fetch: (signal: AbortSignal) => Promise<Copy<Value>>
  /** How long a fetch may take. */
  readonly timeoutMs: number
  readonly now: () => Date
  readonly schedule: Schedule
  /**
   * Which of two to keep, where a later one may be older: the one that is at hand, dated anew, or the other. Without it
   * the one fetched last.
   */
  readonly choose?: ((offered: Copy<Value>, atHand: Copy<Value>) => Copy<Value>) | undefined
  /** Told of each copy that was fetched. */
  readonly onFetched?: (() => void) | undefined
}

/** A fetch under way, when it began, and how to end it. */
interface Attempt {
  readonly startedAt: number
  readonly settled: Promise<void>
  readonly ending: AbortController
}

/** Pause after a fetch that failed: an issuer that is struggling is not asked once per token. */
const RETRY_PAUSE_MS = 5_000
/** So long a newer copy is waited for where an older one would do. */
export const PATIENCE_MS = 1_000
/** So long after its time a fetch is given up: its own timer, where that still goes off, comes first and knows why. */
const GRACE_MS = 250
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
  /** Whether the latest attempt failed before anybody gave it up. */
  #isIssuerAway = false
  #attempt: Attempt | undefined
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
   * What can be served without waiting: a fresh copy, or a stale one while the issuer is known to be away or has been
   * waited for long enough. Starts a refresh where one is due.
   */
  peek(nowMs: number): Value | undefined {
    this.#usedAt = nowMs
    const copy = this.#copy
    if (!copy) return undefined
    // A clock set back must not make a copy young for as long as it was set back.
    const isFresh = nowMs < copy.freshUntil && nowMs >= copy.fetchedAt
    if (!isFresh || nowMs >= this.#refreshAt) this.#startRefresh(nowMs)
    if (isFresh) return copy.value
    return this.#isIssuerAway || this.#isBegunFor(PATIENCE_MS, nowMs) ? this.usable : undefined
  }

  /** What serves in need: a copy that is not too old, fresh or not. */
  get usable(): Value | undefined {
    return this.#copy && this.#nowMs() < this.#copy.usableUntil ? this.#copy.value : undefined
  }

  /**
   * As `peek`, but waits for the issuer where that is `undefined`: for `patienceMs` where a stale copy would do. Still
   * `undefined` when no copy is usable then.
   */
  async get(patienceMs = PATIENCE_MS): Promise<Value | undefined> {
    const value = this.peek(this.#nowMs())
    if (value !== undefined) return value
    const refreshed = this.refresh()
    await (this.usable === undefined
      ? refreshed
      : settleWithin(refreshed, this.#settings.schedule, patienceMs))
    return this.usable
  }

  /** Fetches unless the last attempt is too recent; who asks at the same time shares one request. Never rejects. */
  async refresh(pauseMs = 0): Promise<void> {
    const nowMs = this.#nowMs()
    if (!this.#isAttemptedWithin(pauseMs, nowMs)) this.#startRefresh(nowMs)
    const attempt = this.#attempt
    if (!attempt) return
    const { schedule } = this.#settings
    // By a timer of whoever waits: a fetch that began in another request may have ended with that, and its timers too.
    const leftMs = Math.max(0, Math.min(attempt.startedAt + this.#overdueMs - nowMs, this.#overdueMs))
    const settled = attempt.settled.then(() => true)
    const isSettled = await settleWithin(settled, schedule, leftMs)
    if (!isSettled) this.#giveUp(attempt)
  }

  /** Takes a copy that was kept elsewhere, unless it serves no more or the one at hand is newer. */
  adopt(copy: Copy<Value>): boolean {
    const atHand = this.#copy
    const { choose } = this.#settings
    const isNewer = !atHand || (choose ? choose(copy, atHand) === copy : atHand.fetchedAt < copy.fetchedAt)
    if (!isNewer || !(this.#nowMs() < copy.usableUntil)) return false
    this.#take(copy)
    return true
  }

  /** Ends the refreshes in the background, but for one under way that somebody may wait for. */
  retire(): void {
    this.#isClosed = true
    this.#cancelRefresh?.()
  }

  /** Ends the refreshes in the background, the one under way as well. */
  close(): void {
    this.retire()
    this.#attempt?.ending.abort()
  }

  #startRefresh(nowMs: number): void {
    // Some platforms end a fetch with the request it began in, and never tell: only the clock does.
    if (this.#attempt && this.#isBegunFor(this.#overdueMs, nowMs)) this.#giveUp(this.#attempt)
    if (this.#attempt || (this.#failure && this.#isAttemptedWithin(RETRY_PAUSE_MS, nowMs))) return
    const ending = new AbortController()
    const fetching = this.#settings.fetch(ending.signal)
    const known = this.#copy
    const attempt: Attempt = {
      startedAt: nowMs,
      ending,
      settled: fetching.then(
        (copy) => this.#succeed(attempt, copy, known),
        (cause) => this.#fail(attempt, cause),
      ),
    }
    this.#attempt = attempt
  }

  /** One that was given up still counts, unless something newer came meanwhile. */
  #succeed(attempt: Attempt, copy: Copy<Value>, known: Copy<Value> | undefined): void {
    if (this.#attempt !== attempt && this.#copy !== known) return
    // What is at hand now may be newer than what was when the fetch began.
    const chosen = (this.#copy && this.#settings.choose?.(copy, this.#copy)) ?? copy
    if (!(this.#nowMs() < chosen.usableUntil)) {
      this.#fail(attempt, new Error('what the issuer answered is too old'))
      return
    }
    this.#end(attempt)
    this.#failure = undefined
    this.#isIssuerAway = false
    this.#take(chosen)
    this.#settings.onFetched?.()
  }

  #fail(attempt: Attempt, cause: unknown): void {
    if (this.#attempt !== attempt) return
    this.#end(attempt)
    this.#failure = { cause }
    this.#isIssuerAway = true
    this.#refreshIn(RETRY_PAUSE_MS)
  }

  #end(attempt: Attempt): void {
    this.#attemptedAt = this.#nowMs()
    if (this.#attempt === attempt) this.#attempt = undefined
  }

  /** Nobody knows what became of it: it counts as failed when it began, and not as news of the issuer. */
  #giveUp(attempt: Attempt): void {
    if (this.#attempt !== attempt) return
    this.#attempt = undefined
    this.#attemptedAt = attempt.startedAt
    this.#failure = { cause: new DOMException('The issuer did not answer in time', 'TimeoutError') }
    this.#isIssuerAway = false
    this.#refreshIn(RETRY_PAUSE_MS)
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

  /** Whether a fetch is under way that began so long ago, or before the clock was set back. */
  #isBegunFor(durationMs: number, nowMs: number): boolean {
    if (!this.#attempt) return false
    const ageMs = nowMs - this.#attempt.startedAt
    return ageMs < 0 || ageMs >= durationMs
  }

  #isAttemptedWithin(durationMs: number, nowMs: number): boolean {
    const ageMs = nowMs - this.#attemptedAt
    return ageMs >= 0 && ageMs < durationMs
  }

  get #overdueMs(): number {
    return this.#settings.timeoutMs + GRACE_MS
  }

  #nowMs(): number {
    return this.#settings.now().getTime()
  }
}

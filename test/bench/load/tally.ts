// What came of the requests of one measurement: latencies, statuses, and examples of what should not have come.

import { percentile } from './percentile.ts'

const MAX_EXAMPLES = 3
const EXAMPLE_LENGTH = 300
/** One granted answer in so many is kept, to be verified when the clock has stopped. */
const KEEP_EVERY = 500
/** The last so many: in a long run the first have expired by the time they are looked at. */
const MAX_KEPT = 500
const GRANTED = 200

/** Between two instants of `performance.now()`. */
export interface Span {
  readonly from: number
  readonly until: number
}

const ALWAYS: Span = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }

export class Tally {
  readonly #expected: ReadonlySet<number>
  readonly #latencies: number[] = []
  /** When the request of each latency was due. */
  readonly #dues: number[] = []
  readonly statuses = new Map<number, number>()
  /** Answers nobody expected, the first few of them. */
  readonly unexpected: string[] = []
  /** Bodies of granted requests, the last ones. */
  readonly kept: Buffer[] = []
  failures = 0

  constructor(expected: readonly number[]) {
    this.#expected = new Set(expected)
  }

  get count(): number {
    return this.#latencies.length
  }

  add(latencyMs: number, status: number, body: Buffer): void {
    this.#latencies.push(latencyMs)
    this.#dues.push(performance.now() - latencyMs)
    const seen = this.statuses.get(status) ?? 0
    this.statuses.set(status, seen + 1)
    if (!this.#expected.has(status)) this.#fail(status, body)
    // A copy: the body is a view into what the socket received.
    else if (status === GRANTED && seen % KEEP_EVERY === 0) this.#keep(Buffer.from(body))
  }

  #keep(body: Buffer): void {
    this.kept.push(body)
    if (this.kept.length > MAX_KEPT) this.kept.shift()
  }

  /** Latencies in milliseconds at these percentiles, of the requests that were due in `span`. */
  percentiles(percents: readonly number[], { from, until }: Span = ALWAYS): number[] {
    const isIn = (due: number | undefined): boolean => due !== undefined && due >= from && due <= until
    const ascending = Float64Array.from(this.#latencies.filter((_, index) => isIn(this.#dues[index]))).sort()
    return percents.map((percent) => percentile(ascending, percent))
  }

  #fail(status: number, body: Buffer): void {
    this.failures += 1
    if (this.unexpected.length < MAX_EXAMPLES)
      this.unexpected.push(`${status} ${body.toString('utf8', 0, EXAMPLE_LENGTH)}`)
  }
}

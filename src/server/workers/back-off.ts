// How long to wait before a worker is started again. A worker that ends early is likely to do so again: the wait grows
// with their number in a row, so that a machine is not kept busy with starts that come to nothing.

/** One that ends before it has served for so long has ended early. */
const EARLY_MS = 10_000
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 30_000
const HOPELESS = 6

export class BackOff {
  #inARow = 0

  /** Counts a worker that has ended after serving for `servedMs`. */
  count(servedMs: number): void {
    this.#inARow = servedMs < EARLY_MS ? this.#inARow + 1 : 0
  }

  /** None before the first that ended early is replaced. */
  get waitMs(): number {
    if (this.#inARow < 2) return 0
    return Math.min(FIRST_WAIT_MS * 2 ** (this.#inARow - 2), LONGEST_WAIT_MS)
  }

  /** Whether so many have ended early in a row that the next one would as well. */
  get isHopeless(): boolean {
    return this.#inARow >= HOPELESS
  }
}

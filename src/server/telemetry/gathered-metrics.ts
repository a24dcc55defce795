// The metrics of several processes as those of one. Counts of a process that has ended stay in the sum: one that fell
// would look as if everything had been restarted, and rates would jump.

import { isCount, MetricSet, type Scrape, type Snapshot } from './metric-set.ts'

export class GatheredMetrics {
  readonly #latest = new Map<number, Snapshot>()
  /** Counts of all that have ended. */
  #departed: Snapshot = []

  /**
   * The exposition of `own` and of what each process said of itself, by its id: null where it has not answered, which
   * leaves what it said last. One that is not named any more has ended; what it counted after it was last asked is lost.
   */
  async render(own: Snapshot, others: ReadonlyMap<number, Snapshot | null>): Promise<Scrape> {
    const ended = [...this.#latest.keys()].filter((id) => !others.has(id))
    await this.#keepCounts(ended)
    for (const [id, snapshot] of others) if (snapshot) this.#latest.set(id, snapshot)
    return MetricSet.gather([...this.#latest.values(), own, this.#departed]).render()
  }

  async #keepCounts(ended: readonly number[]): Promise<void> {
    if (ended.length === 0) return
    const counts = ended.map((id) => (this.#latest.get(id) ?? []).filter(isCount))
    for (const id of ended) this.#latest.delete(id)
    this.#departed = await MetricSet.gather([this.#departed, ...counts]).snapshot()
  }
}

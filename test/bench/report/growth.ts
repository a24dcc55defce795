// Whether memory stays flat: where it stood when the load had run in, against where it stood at the end.

import { median } from '../meter/figures.ts'
import type { MemorySample } from './report.ts'

/** The process compiles, and fills what it keeps by design, in the first tenth of a run. */
const RUN_IN_SHARE = 0.1
/** Garbage collection makes single samples jump: both ends are medians over this share of the run. */
const END_SHARE = 0.15

/** By how many percent memory grew from the second tenth of the samples to the last; NaN of too few. */
export function growthOf(samples: readonly MemorySample[]): number {
  const rss = samples.map(({ rssBytes }) => rssBytes)
  const [runIn, end] = [RUN_IN_SHARE, END_SHARE].map((share) => Math.ceil(rss.length * share)) as [
    number,
    number,
  ]
  const first = median(rss.slice(runIn, runIn + end))
  return (median(rss.slice(-end)) / first - 1) * 100
}

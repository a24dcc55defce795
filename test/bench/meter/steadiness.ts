// How steadily the machine works: a virtual one may stand still for milliseconds, and its own system does not know of it.
// The latencies of such a machine are its own.

import { hash } from 'node:crypto'
import { percentile } from '../load/percentile.ts'

const WINDOW_MS = 10
const HASHES_PER_LOOK = 20
const INPUT = Buffer.alloc(64)

/** Hashes on one core for so long; gives the share of 10 ms windows that got through less than half of the usual, in percent. */
export function measureSlowWindows(seconds: number): number {
  const done: number[] = []
  for (const until = performance.now() + seconds * 1000; performance.now() < until; ) done.push(countHashes())
  return Number(shareOfSlow(done).toFixed(1))
}

/** The share of what is below half of the median, in percent. */
export function shareOfSlow(done: readonly number[]): number {
  const usual = percentile(Float64Array.from(done).sort(), 50)
  return (100 * done.filter((count) => count < usual / 2).length) / done.length
}

function countHashes(): number {
  let count = 0
  for (const until = performance.now() + WINDOW_MS; performance.now() < until; count += HASHES_PER_LOOK)
    for (let step = 0; step < HASHES_PER_LOOK; step += 1) hash('sha256', INPUT)
  return count
}

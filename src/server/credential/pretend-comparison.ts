// An unknown id takes the time of a wrong secret, so that nobody learns which ids exist. What that costs is bounded, because
// anybody can make ids up.

import type { CredentialHasher } from './hash.ts'
import type { PretendComparison } from './verify.ts'

/** With so few requests at work, threads and processors have nothing better to do. */
const QUIET_REQUESTS = 2
/** Otherwise one in so long: a tenth of a core at the default cost, whatever floods the server. */
const PAUSE_MS = 10

export interface Surroundings {
  readonly hashes: { readonly running: number }
  /** Those at work. */
  readonly requests: { readonly size: number }
  /** Of a clock that never steps. */
  readonly nowMs: () => number
}

/** Builds what pretends. It does nothing, and an unknown id is refused sooner, while it would be in the way of others. */
export function createPretendComparison(
  hasher: Pick<CredentialHasher, 'compareWithNothing'>,
  { hashes, requests, nowMs }: Surroundings,
): PretendComparison {
  let latestMs = Number.NEGATIVE_INFINITY
  return async (presented) => {
    const now = nowMs()
    const isDue = requests.size <= QUIET_REQUESTS || now - latestMs >= PAUSE_MS
    if (hashes.running > 0 || !isDue) return
    latestMs = now
    await hasher.compareWithNothing(presented)
  }
}

// What a verifier knows of its issuer, given out and taken in: starting without network, and not forgetting at a restart.

import type { RemoteKeys } from './remote-keys.ts'
import { type Hydration, readSnapshot, type VerifierSnapshot } from './snapshot.ts'
import type { StatusLists } from './status-lists.ts'

export interface Knowledge {
  readonly issuer: string
  readonly keys: RemoteKeys
  readonly lists: StatusLists | null
}

/** All that is known, to be kept. */
export function takeSnapshot({ issuer, keys, lists }: Knowledge): VerifierSnapshot {
  const { kept } = keys
  const jwks = kept && {
    fetched_at: new Date(kept.fetchedAt).toISOString(),
    max_age_seconds: kept.maxAgeSeconds,
    keys: kept.jwks.keys,
  }
  return { version: 1, issuer, jwks: jwks ?? null, status_lists: lists?.listJwts() ?? [] }
}

/** Takes what was kept, as far as it holds and nothing newer is known. Does no I/O and never rejects. */
export async function hydrate({ issuer, keys, lists }: Knowledge, snapshot: unknown): Promise<Hydration> {
  const kept = readSnapshot(snapshot, issuer)
  const hasKeys = kept.keys !== undefined && (await keys.adopt(kept.keys))
  let statusLists = 0
  // One after the other: each is work for the processor alone.
  for (const jwt of lists ? kept.lists : []) if (await lists?.adopt(jwt)) statusLists += 1
  return { keys: hasKeys, statusLists }
}

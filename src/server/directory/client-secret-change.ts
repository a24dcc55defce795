// The secrets a client may present: the current one, and the one before it until the end of their overlap.

import { addSeconds } from '../policy/effective-expiry.ts'
import type { ClientSettings } from './client-store.ts'

type SecretHashes = Pick<ClientSettings, 'secretHash' | 'previousSecretHash' | 'previousSecretUntil'>

/** Longest a secret works on beside the one that took its place. */
export const MAX_SECRET_OVERLAP_SECONDS = 7 * 86_400

/** Until when the secret before the current one works; null when it does not at `now`. */
export const overlapEndOf = ({ previousSecretUntil }: SecretHashes, now: Date): Date | null =>
  previousSecretUntil && previousSecretUntil > now ? previousSecretUntil : null

/** Hashes of the secrets that are accepted at `now`. */
export function listAcceptedHashes(hashes: SecretHashes, now: Date): string[] {
  const { secretHash, previousSecretHash } = hashes
  const accepted = overlapEndOf(hashes, now) ? [secretHash, previousSecretHash] : [secretHash]
  return accepted.filter((hash) => hash !== null)
}

/** What a client has whose secret is replaced at `now`. Whatever stood before the one replaced ends at once. */
export const replaceSecretHash = (
  replaced: string,
  secretHash: string,
  overlapSeconds: number,
  now: Date,
): SecretHashes =>
  overlapSeconds === 0
    ? { secretHash, previousSecretHash: null, previousSecretUntil: null }
    : { secretHash, previousSecretHash: replaced, previousSecretUntil: addSeconds(now, overlapSeconds) }

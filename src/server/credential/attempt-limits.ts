// How often somebody may fail to prove what they claim, asked before anything is looked up or hashed for them. Only
// failures count, and a value that has matched in this process is no guess: it goes on whatever is counted against the
// address it comes from, or against its public id. Neither HTTP nor the store of the counts is known here.

import { clientBlockOf } from '../../protocol/cidr.ts'
import type { PresentedCredential } from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import type { CredentialHasher } from './hash.ts'
import type { CredentialRefusal, VerificationContext, VerifyCredential } from './verify.ts'

/** Who tries, and with what. */
export interface Attempt {
  readonly address: string
  /** The client that authenticated itself; null for a public one, whose id anybody may give. */
  readonly clientId: string | null
  /** Null when it is not a credential that is to be proven. */
  readonly presented: PresentedCredential | null
}

export interface TooManyFailures {
  readonly reason: 'too_many_failures'
  readonly retryAfterSeconds: number
}

/** Failures by key, each in a window of its own that begins with the first one. */
export interface FailureCount {
  /** Whether the windows of all keys are over. */
  readonly isQuiet: () => boolean
  /** Seconds until the window of `key` ends, once its failures are used up; null before. */
  readonly findWaitSeconds: (key: string) => Promise<number | null>
  /** Counts a failure; true when it was the last one the window has. */
  readonly add: (key: string) => Promise<boolean>
}

export const LIMIT_NAMES = ['address', 'client', 'credential'] as const
export type LimitName = (typeof LIMIT_NAMES)[number]

export interface LimitObserver {
  /** The failures of a window are used up: told once per window. */
  readonly onReached: (limit: LimitName, attempt: Attempt) => void
  /** An attempt was refused. */
  readonly onRefused: (limit: LimitName) => void
}

export interface AttemptLimits {
  /** Whether an attempt may go on. */
  readonly admit: (attempt: Attempt) => Promise<Result<null, TooManyFailures>>
  readonly noteFailure: (attempt: Attempt) => Promise<void>
}

/** A refusal waits for `holdBack`: what costs next to nothing could be asked for often enough to be in everybody's way. */
export function createAttemptLimits(
  counts: Readonly<Record<LimitName, FailureCount>>,
  hasher: Pick<CredentialHasher, 'remembers'>,
  observer: LimitObserver,
  holdBack: () => Promise<void>,
): AttemptLimits {
  const isQuiet = (): boolean => Object.values(counts).every((count) => count.isQuiet())
  return {
    admit: async (attempt) => {
      // The usual case, in which no key needs to be made.
      if (isQuiet()) return ok(null)
      const waits = await Promise.all(
        keysOf(attempt).map(async ([limit, key]) => ({
          limit,
          seconds: await counts[limit].findWaitSeconds(key),
        })),
      )
      const [longest] = waits
        .flatMap(({ limit, seconds }) => (seconds === null ? [] : { limit, seconds }))
        .sort((one, other) => other.seconds - one.seconds)
      if (!longest || (attempt.presented && hasher.remembers(attempt.presented))) return ok(null)
      observer.onRefused(longest.limit)
      await holdBack()
      return fail({ reason: 'too_many_failures', retryAfterSeconds: longest.seconds })
    },
    noteFailure: async (attempt) => {
      for (const [limit, key] of keysOf(attempt))
        if (await counts[limit].add(key)) observer.onReached(limit, attempt)
    },
  }
}

/**
 * What an attempt is counted on. A client that authenticated itself stands for the address it comes from, where it may
 * forward what many people present.
 */
function keysOf({ address, clientId, presented }: Attempt): [LimitName, string][] {
  const block = clientBlockOf(address)
  return [
    clientId === null ? ['address', block] : ['client', clientId],
    // With the address, so that nobody who knows an id can use up the failures of its owner elsewhere.
    ...(presented ? [['credential', `${presented.id} ${block}`] satisfies [LimitName, string]] : []),
  ]
}

/** Unknown and wrong count alike, or a limit would tell one from the other. */
const isFailedProof = ({ reason }: CredentialRefusal): boolean =>
  reason === 'credential_unknown' || reason === 'secret_mismatch'

/** The check, with its failures counted. What else a credential is refused for proves that it was no guess. */
export function countFailures(verify: VerifyCredential, limits: AttemptLimits): VerifyCredential {
  return async (presented, context: VerificationContext) => {
    const verified = await verify(presented, context)
    if (!verified.ok && isFailedProof(verified.error.refusal))
      await limits.noteFailure({ address: context.address, clientId: context.clientId, presented })
    return verified
  }
}

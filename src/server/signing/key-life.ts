// The life of a signing key: published → active → retired → gone. Pure functions of its instants and of the time of day;
// they know neither the keys nor where they are kept.

import { LONGEST_TTL_SECONDS } from '../../protocol/access-token.ts'

export type KeyState = 'published' | 'active' | 'retired' | 'gone'

export interface KeyLife {
  /** From here on it stands in the JWKS. */
  readonly publishedAt: Date
  /** From here on it signs. */
  readonly activatesAt: Date
  /** From here on it does not any more; null as long as it has no successor. */
  readonly retiresAt: Date | null
  /** From here on it does not stand in the JWKS any more; null like `retiresAt`. */
  readonly goneAt: Date | null
  /** When it was taken out of use at once; null: never. */
  readonly withdrawnAt: Date | null
}

export interface KeyTimings {
  /** How long a verifier may keep the JWKS. */
  readonly jwksMaxAgeSeconds: number
  /** How often a process looks for changes of the ring. */
  readonly pollSeconds: number
}

/** Clocks of two instances may be so far apart. */
const CLOCK_SKEW_SECONDS = 30
/** In so many looks every process has seen a change, also where one of them failed. */
const LOOKS = 3

const addSeconds = (instant: Date, seconds: number): Date => new Date(instant.getTime() + seconds * 1000)

/** Until a change of the ring is known to every process, by everybody's clock. */
const settleSeconds = ({ pollSeconds }: KeyTimings): number => LOOKS * pollSeconds + CLOCK_SKEW_SECONDS

/** When a key that is published at `publishedAt` may sign: no JWKS without it is kept by any verifier then. */
export const activationOf = (publishedAt: Date, timings: KeyTimings): Date =>
  addSeconds(publishedAt, timings.jwksMaxAgeSeconds + settleSeconds(timings))

/** When a key that signs no more from `retiresAt` on is needed by nobody. */
export const goneAfter = (retiresAt: Date, timings: KeyTimings): Date =>
  addSeconds(retiresAt, LONGEST_TTL_SECONDS + timings.jwksMaxAgeSeconds + settleSeconds(timings))

/** The state of a key at `now`. */
export function stateOf({ activatesAt, retiresAt, goneAt, withdrawnAt }: KeyLife, now: Date): KeyState {
  if (withdrawnAt !== null || (goneAt !== null && goneAt <= now)) return 'gone'
  if (retiresAt !== null && retiresAt <= now) return 'retired'
  return activatesAt <= now ? 'active' : 'published'
}

/** Whether the newest of these keys of one algorithm has been signing for `rotationSeconds`. */
export const isRotationDue = (
  keys: readonly Pick<KeyLife, 'activatesAt'>[],
  now: Date,
  rotationSeconds: number,
): boolean => keys.every(({ activatesAt }) => addSeconds(activatesAt, rotationSeconds) <= now)

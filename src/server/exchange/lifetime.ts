// Every limit on how long an access token may live, each with what sets it. The least of them is its lifetime.

import { type CredentialExpiry, expiryOf, type Standing } from '../credential/standing.ts'
import { accessTokenCap } from '../policy/effective-expiry.ts'
import { type PolicyLevel, withoutIdleTimeout } from '../policy/policy.ts'
import type { Actor } from './delegation.ts'
import type { Presenter } from './present.ts'
import type { DecisionRefusal } from './refusal.ts'

/** What a resource server says about the tokens for it. */
interface TokenTerms {
  readonly audience: string
  readonly accessTokenTtlSeconds: number
}

export type Cap =
  | { readonly seconds: number; readonly by: 'resource_server'; readonly audience: string }
  | { readonly seconds: number; readonly by: 'access_token_max_ttl'; readonly level: PolicyLevel }
  | { readonly seconds: number; readonly by: 'credential'; readonly expiry: CredentialExpiry }
  | { readonly seconds: number; readonly by: 'subject_token' | 'actor' }

/** Who presents what, and who is to act for them. */
interface Parties extends Presenter {
  readonly actor: Actor | null
}

/** The caps on a token for these targets, issued at `now`; never none. */
export function listCaps(
  { standing, token, actor }: Parties,
  targets: readonly [TokenTerms, ...TokenTerms[]],
  now: Date,
): readonly [Cap, ...Cap[]] {
  const [first, ...others] = targets
  const ofPolicy = accessTokenCap(standing.policies)
  const expiry = expiryOf(standing)
  return [
    toCap(first),
    ...others.map(toCap),
    ...(ofPolicy ? [{ ...ofPolicy, by: 'access_token_max_ttl' } as const] : []),
    ...(expiry ? [{ seconds: secondsUntil(expiry.at, now), by: 'credential', expiry } as const] : []),
    ...(token
      ? [{ seconds: secondsUntil(new Date(token.exp * 1000), now), by: 'subject_token' } as const]
      : []),
    ...(actor?.endsAt ? [{ seconds: secondsUntil(actor.endsAt, now), by: 'actor' } as const] : []),
  ]
}

export const findLeast = (caps: readonly [Cap, ...Cap[]]): Cap =>
  caps.reduce((least, cap) => (cap.seconds < least.seconds ? cap : least))

/** Why nothing is issued where less than a whole second is left: the cause is what will be one within that second. */
export function refuseTooNear(cap: Cap): DecisionRefusal {
  if (cap.by === 'actor') return { reason: 'actor_token_refused', cause: 'credential_expired' }
  const cause = cap.by === 'credential' ? CAUSES[cap.expiry.cause] : 'token_invalid'
  return { reason: 'subject_token_refused', cause }
}

const CAUSES = {
  expires_at: 'credential_expired',
  overlap_until: 'credential_superseded',
  max_lifetime: 'blocked_by_policy',
  idle_timeout: 'blocked_by_policy',
} as const satisfies Record<CredentialExpiry['cause'], string>

/**
 * Seconds until the credential stops however much it is used: this use of it has just put an idle time-out off. Null: it
 * never does. `caps` are those of its token.
 */
export function findRemainder(standing: Standing, caps: readonly Cap[], now: Date): number | null {
  const cap = caps.find((one) => one.by === 'credential')
  if (cap?.expiry.cause !== 'idle_timeout') return cap?.seconds ?? null
  const lasting = expiryOf({ ...standing, policies: withoutIdleTimeout(standing.policies) })
  return lasting && secondsUntil(lasting.at, now)
}

const toCap = ({ audience, accessTokenTtlSeconds }: TokenTerms): Cap => ({
  seconds: accessTokenTtlSeconds,
  by: 'resource_server',
  audience,
})

const secondsUntil = (instant: Date, now: Date): number =>
  Math.floor((instant.getTime() - now.getTime()) / 1000)

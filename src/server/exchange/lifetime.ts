// Every limit on how long an access token may live, each with what sets it. The least of them is its lifetime.

import { type CredentialExpiry, expiryOf, type Standing } from '../credential/standing.ts'
import { accessTokenCap } from '../policy/effective-expiry.ts'
import type { PolicyLevel } from '../policy/policy.ts'

/** What a resource server says about the tokens for it. */
interface TokenTerms {
  readonly audience: string
  readonly accessTokenTtlSeconds: number
}

export type Cap =
  | { readonly seconds: number; readonly by: 'resource_server'; readonly audience: string }
  | { readonly seconds: number; readonly by: 'access_token_max_ttl'; readonly level: PolicyLevel }
  | { readonly seconds: number; readonly by: 'credential'; readonly expiry: CredentialExpiry }

/** The caps on a token for these targets, issued at `now`; never none. */
export function listCaps(
  standing: Standing,
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
  ]
}

const toCap = ({ audience, accessTokenTtlSeconds }: TokenTerms): Cap => ({
  seconds: accessTokenTtlSeconds,
  by: 'resource_server',
  audience,
})

const secondsUntil = (instant: Date, now: Date): number =>
  Math.floor((instant.getTime() - now.getTime()) / 1000)

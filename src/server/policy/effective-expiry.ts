// When a credential that exists stops working, computed from what is in force now and never stored: tightening a
// policy binds at the next exchange, and loosening it gives back what policy alone had taken.

import { type ExpiryPolicy, type Limit, type Policies, type PolicyLevel, strictestLimit } from './policy.ts'

/** What the rules need to know of a credential. */
export interface Lifespan {
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  /** The role it acts with now; a role may be exempt. */
  readonly roleName: string
}

/** The instant a credential stops, and what stops it. */
export type EffectiveExpiry =
  | { readonly at: Date; readonly cause: 'expires_at' }
  | { readonly at: Date; readonly cause: 'max_lifetime' | 'idle_timeout'; readonly level: PolicyLevel }

export const addSeconds = (instant: Date, seconds: number): Date =>
  new Date(instant.getTime() + seconds * 1000)

/** The earliest of `expires_at`, creation + maximum lifetime and last use + idle time-out; `null` for never. */
export function effectiveExpiry(lifespan: Lifespan, policies: Policies): EffectiveExpiry | null {
  const binds = (policy: ExpiryPolicy): boolean =>
    !policy.exemptRoles.includes(lifespan.roleName) &&
    (policy.appliesTo === 'all' || lifespan.createdAt >= policy.appliesSince)
  const candidates: EffectiveExpiry[] = []
  if (lifespan.expiresAt) candidates.push({ at: lifespan.expiresAt, cause: 'expires_at' })
  const maximum = strictestLimit(policies, 'maxLifetimeSeconds', binds)
  if (maximum) {
    candidates.push({
      at: addSeconds(lifespan.createdAt, maximum.seconds),
      cause: 'max_lifetime',
      level: maximum.level,
    })
  }
  const idle = strictestLimit(policies, 'idleTimeoutSeconds', binds)
  if (idle) {
    // The idle clock of a credential nobody used starts at its creation.
    const usedAt = lifespan.lastUsedAt ?? lifespan.createdAt
    candidates.push({ at: addSeconds(usedAt, idle.seconds), cause: 'idle_timeout', level: idle.level })
  }
  return candidates.reduce<EffectiveExpiry | null>(
    (least, one) => (least && least.at <= one.at ? least : one),
    null,
  )
}

/** The longest an access token may live under policy; `null` for no rule. */
export const accessTokenCap = (policies: Policies): Limit | null =>
  strictestLimit(policies, 'accessTokenMaxTtlSeconds')

// What a policy says to a credential being made. Asking for more than allowed is refused, never silently clamped.

import { fail, ok, type Result } from '../../protocol/result.ts'
import { addSeconds } from './effective-expiry.ts'
import {
  type ExpiryPolicy,
  type Policies,
  type PolicyLevel,
  strictestDefault,
  strictestLimit,
} from './policy.ts'

/**
 * How long a new credential shall live: an instant, for ever, whatever the policy's default is, or up to an instant (null:
 * for ever) as long as the policy allows.
 */
export type LifetimeWish =
  | { readonly kind: 'default' }
  | { readonly kind: 'up_to'; readonly at: Date | null }
  | { readonly kind: 'never' }
  | { readonly kind: 'until'; readonly at: Date }

export interface PolicyViolation {
  readonly reason: 'policy_violation'
  readonly rule: 'max_lifetime'
  readonly level: PolicyLevel
  readonly limitSeconds: number
}

/** The `expires_at` of a credential made at `now`; `null` for never. Fails when the wish goes beyond the maximum. */
export function resolveExpiry(
  wish: LifetimeWish,
  policies: Policies,
  roleName: string,
  now: Date,
): Result<Date | null, PolicyViolation> {
  const binds = (policy: ExpiryPolicy): boolean => !policy.exemptRoles.includes(roleName)
  if (wish.kind === 'default') {
    const standard = strictestDefault(policies, binds)
    return ok(standard && addSeconds(now, standard.seconds))
  }
  const maximum = strictestLimit(policies, 'maxLifetimeSeconds', binds)
  const latest = maximum && addSeconds(now, maximum.seconds)
  const wanted = wish.kind === 'never' ? null : wish.at
  if (latest && (wanted === null || wanted > latest)) {
    if (wish.kind === 'up_to') return ok(latest)
    return fail({
      reason: 'policy_violation',
      rule: 'max_lifetime',
      level: maximum.level,
      limitSeconds: maximum.seconds,
    })
  }
  return ok(wanted)
}

// Which rule blocks a credential, for its owner and admins: so that they know whom to ask, and what would do.

import type { Policies, PolicyLevel } from '../policy/policy.ts'
import { expiryOf, findProblem, type Standing } from './standing.ts'

export interface BlockingRule {
  readonly rule: 'max_lifetime' | 'idle_timeout'
  /** Whose policy it is. */
  readonly level: PolicyLevel
  readonly limitSeconds: number
}

/** The rule that keeps the credential from working at `now`; null when none does, or something else does before. */
export function findBlockingRule(standing: Standing, now: Date): BlockingRule | null {
  if (findProblem(standing, now)?.reason !== 'blocked_by_policy') return null
  const expiry = expiryOf(standing)
  if (!expiry || !('level' in expiry)) return null
  const limitSeconds = limitOf(standing.policies, expiry)
  return limitSeconds === null ? null : { rule: expiry.cause, level: expiry.level, limitSeconds }
}

/** As the API and the audit records tell it. */
export interface ToldBlock extends Pick<BlockingRule, 'rule' | 'level'> {
  readonly limit_seconds: number
}

export const toBlockJson = ({ rule, level, limitSeconds }: BlockingRule): ToldBlock => ({
  rule,
  level,
  limit_seconds: limitSeconds,
})

/** What the rule says that ends a credential; null for none. */
export function limitOf(
  policies: Policies,
  { cause, level }: Pick<BlockingRule, 'level'> & { readonly cause: BlockingRule['rule'] },
): number | null {
  const policy = policies[level]
  return (cause === 'max_lifetime' ? policy?.maxLifetimeSeconds : policy?.idleTimeoutSeconds) ?? null
}

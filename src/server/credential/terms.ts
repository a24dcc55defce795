// What a new credential may be: within its role, under a free name, within the limit, and no longer than the policy
// allows. The caller's own rights are the caller's business.

import { fail, type Result } from '../../protocol/result.ts'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import type { Queryable } from '../db/database.ts'
import { type LifetimeWish, type PolicyViolation, resolveExpiry } from '../policy/creation.ts'
import type { Policies } from '../policy/policy.ts'
import { findPolicies } from '../policy/store.ts'
import { type Holder, listLive } from './holder-store.ts'
import type { Grant, Permission, PermittedActor } from './standing.ts'

export interface Terms {
  readonly organizationId: string
  readonly name: string
  readonly lifetime: LifetimeWish
  readonly permissions: readonly Permission[] | null
  readonly allowedCidrs: readonly string[] | null
  readonly mayAct: readonly PermittedActor[] | null
}

export type TermsRefusal =
  | PolicyViolation
  | { readonly reason: 'token_name_taken' }
  | { readonly reason: 'token_limit_reached'; readonly limit: number }
  | { readonly reason: 'permission_not_held'; readonly audience: string; readonly scope: string | null }

/** The role a credential acts with, as far as its terms depend on it. */
export interface TermsRole {
  readonly name: string
  readonly grants: readonly Pick<Grant, 'audience' | 'scopes' | 'declaredScopes'>[]
}

/** The first permission that goes beyond what `role` holds; `null` when all are held. */
export function findExcess(
  role: Pick<TermsRole, 'grants'>,
  permissions: readonly Permission[],
): { audience: string; scope: string | null } | null {
  for (const { audience, scopes } of permissions) {
    const grant = role.grants.find((candidate) => candidate.audience === audience)
    if (!grant) return { audience, scope: null }
    const isHeld = (scope: string): boolean =>
      anyCovers(grant.scopes, scope) && narrowScopes([scope], grant.declaredScopes).length > 0
    const excess = scopes.find((scope) => !isHeld(scope))
    if (excess !== undefined) return { audience, scope: excess }
  }
  return null
}

/** The `expires_at` of a credential that `holder` is to get. Needs the lock on the holder: names and limits race. */
export async function checkTerms(
  transaction: Queryable,
  holder: Holder,
  role: TermsRole,
  { organizationId, name, lifetime, permissions }: Terms,
  limitOf: (policies: Policies) => number,
  now: Date,
): Promise<Result<Date | null, TermsRefusal>> {
  const excess = findExcess(role, permissions ?? [])
  if (excess) return fail({ reason: 'permission_not_held', ...excess })
  const policies = await findPolicies(transaction, organizationId)
  const live = await listLive(transaction, holder, now)
  if (live.some((credential) => credential.name === name)) return fail({ reason: 'token_name_taken' })
  const limit = limitOf(policies)
  const held = live.filter((credential) => credential.organizationId === organizationId).length
  if (held >= limit) return fail({ reason: 'token_limit_reached', limit })
  return resolveExpiry(lifetime, policies, role.name, now)
}

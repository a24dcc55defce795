// What a caller may hand on: nobody gives, by a role or by a credential, what they could not do themselves. Scopes are
// compared as they stand: a wildcard that covers no more today than single scopes do would tomorrow.

import { anyCovers } from '../../protocol/scope.ts'
import type { Permission } from '../credential/standing.ts'
import type { Caller } from './caller.ts'

/** A role, as far as it gives rights. */
export interface Rights {
  readonly reach: 'platform' | 'organization'
  readonly grants: readonly Permission[]
}

type Authority = Pick<Caller, 'scopes' | 'isPlatformWide' | 'permissions'>

/** The first management right `role` has beyond the caller's, as a scope or as its reach; null when there is none. */
export function findEscalation(
  caller: Pick<Caller, 'scopes' | 'isPlatformWide'>,
  role: Rights,
  apiAudience: string,
): string | null {
  if (role.reach === 'platform' && !caller.isPlatformWide) return 'every organization'
  return scopesAt(role.grants, apiAudience).find((scope) => !anyCovers(caller.scopes, scope)) ?? null
}

/**
 * The first right of `role` that the caller may not hand on within the role's organization; null when there is none.
 * Management rights are handed on by who holds them; all others also by who may change the organization's roles and
 * members, because they could take the role themselves.
 */
export function findBeyond(caller: Authority, role: Rights, apiAudience: string): string | null {
  const escalation = findEscalation(caller, role, apiAudience)
  if (escalation !== null || anyCovers(caller.scopes, 'organizations:write')) return escalation
  for (const { audience, scopes } of role.grants.filter((one) => one.audience !== apiAudience)) {
    const held = scopesAt(caller.permissions, audience)
    const excess = scopes.find((scope) => !anyCovers(held, scope))
    if (excess !== undefined) return `${excess} at ${audience}`
  }
  return null
}

/**
 * The first of `permissions` that the caller may not put into a role, for its organization's roles permit nothing like
 * it and the caller does not hold it; null when there is none. Management rights are left to `findEscalation`.
 */
export function findNewToOrganization(
  caller: Authority,
  ofItsRoles: readonly Permission[],
  permissions: readonly Permission[],
  apiAudience: string,
): { audience: string; scope: string } | null {
  if (caller.isPlatformWide) return null
  for (const { audience, scopes } of permissions.filter((one) => one.audience !== apiAudience)) {
    const given = [...scopesAt(ofItsRoles, audience), ...scopesAt(caller.permissions, audience)]
    const scope = scopes.find((wanted) => !anyCovers(given, wanted))
    if (scope !== undefined) return { audience, scope }
  }
  return null
}

const scopesAt = (permissions: readonly Permission[], audience: string): string[] =>
  permissions.filter((one) => one.audience === audience).flatMap(({ scopes }) => scopes)

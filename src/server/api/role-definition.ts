// What it takes to define a role of an organization: permissions that exist, and nothing the caller may not hand on.

import {
  type ResolvedPermissions,
  resolvePermissions,
  type WrittenPermission,
} from '../directory/role-permissions.ts'
import { findRoleOf, listOwnGrants, type Role } from '../directory/role-store.ts'
import { toInvalidRequest } from '../http/guard.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { findPolicies } from '../policy/store.ts'
import { findEscalation, findNewToOrganization } from './authority.ts'
import type { Caller } from './caller.ts'

/** A role of the organization's own; 404 for none of this name, 409 for a built-in one. */
export async function requireOwnRole(db: Reader, organizationId: string, name: string): Promise<Role> {
  const role = await findRoleOf(db, organizationId, name)
  if (!role) throw new Problem('not_found')
  if (role.organizationId === null) throw new Problem('built_in')
  return role
}

/** 403 for a role that has, or would have, management rights beyond the caller's. */
export function requireManageable(
  caller: Caller,
  role: Pick<Role, 'reach' | 'grants'>,
  apiAudience: string,
): void {
  const escalation = findEscalation(caller, role, apiAudience)
  if (escalation !== null)
    throw new Problem('forbidden', `The role has management rights beyond yours: ${escalation}`)
}

/**
 * What `written` permits, when the caller may put it into a role of this organization. 400 for what does not exist,
 * 403 for management rights beyond the caller's, 422 for what the organization has not been given.
 */
export async function requireDefinable(
  transaction: Reader,
  caller: Caller,
  organizationId: string,
  written: readonly WrittenPermission[],
  apiAudience: string,
): Promise<ResolvedPermissions['byServer']> {
  const { grants, byServer, problems } = await resolvePermissions(transaction, written)
  if (problems.length > 0)
    throw toInvalidRequest(problems.map(({ path, message }) => ({ path: ['permissions', ...path], message })))
  requireManageable(caller, { reach: 'organization', grants }, apiAudience)
  const ofItsRoles = await listOwnGrants(transaction, organizationId)
  const excess = findNewToOrganization(caller, ofItsRoles, grants, apiAudience)
  if (excess) throw new Problem('permission_not_held', 'It is new to the organization', { ...excess })
  return byServer
}

/** 403 for a name whose holders the platform's policy exempts: else an organization could exempt whom it likes. */
export async function requireUnexemptName(transaction: Reader, caller: Caller, name: string): Promise<void> {
  if (caller.isPlatformWide) return
  const { platform } = await findPolicies(transaction, null)
  if (platform?.exemptRoles.includes(name))
    throw new Problem('forbidden', `The platform's expiry policy exempts every role named ${name}`)
}

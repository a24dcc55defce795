// Of management a credential has no more than whoever issued it for its owner.

import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import type { Grant } from '../db/role-grants.ts'
import type { HeldGrant, Role } from './standing.ts'

interface ManagementCap {
  /** Null: none. */
  readonly scopes: readonly string[] | null
  readonly managementAudience: string | null
}

/** What the role grants, but of the management API no more than whoever issued the credential had of it. */
export function capRole(
  role: Omit<Role, 'grants'> & { readonly grants: readonly Grant[] },
  cap: ManagementCap,
): Role {
  const { scopes, managementAudience } = cap
  if (!scopes) return role
  const capGrant = (grant: Grant): HeldGrant =>
    grant.audience !== managementAudience || grant.scopes.every((scope) => anyCovers(scopes, scope))
      ? grant
      : { ...grant, scopes: narrowScopes(grant.scopes, scopes), ofRole: grant.scopes }
  return { ...role, grants: role.grants.map(capGrant) }
}

// What a credential has of its role as granted: wildcards as they stand, before a client or what resource servers
// declare bounds them.

import { narrowScopes } from '../../protocol/scope.ts'
import type { Grant, Permission, Standing } from '../credential/standing.ts'

/** What was chosen of a grant when the credential was made; null: all of it. */
export function narrowToChosen(
  { audience, scopes }: Permission,
  permissions: readonly Permission[] | null,
): readonly string[] {
  const here = permissions?.filter((one) => one.audience === audience)
  const wanted = here?.flatMap((one) => one.scopes)
  return wanted ? narrowScopes(scopes, wanted) : scopes
}

/** What `standing` has at these audiences or, for none, at all of them. Nowhere without scopes. */
export function listGranted(
  { credential, role }: Pick<Standing, 'credential' | 'role'>,
  audiences: readonly string[] = [],
): Grant[] {
  return (role?.grants ?? [])
    .filter(({ audience }) => audiences.length === 0 || audiences.includes(audience))
    .map((grant) => ({ ...grant, scopes: narrowToChosen(grant, credential.permissions) }))
    .filter(({ scopes }) => scopes.length > 0)
}

// From permissions as people write them, by audience, to those a role stores; what does not exist is told by its place.

import { narrowScopes } from '../../protocol/scope.ts'
import type { Queryable } from '../db/database.ts'
import { findResourceServer, listScopes } from './resource-server-store.ts'
import type { RoleGrant } from './role-store.ts'

export interface WrittenPermission {
  readonly audience: string
  readonly scopes: readonly string[]
}

export interface PermissionProblem {
  /** Where it stands, from the list of permissions on. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

export interface ResolvedPermissions {
  /** Scopes by resource server id, sorted, each once. */
  readonly byServer: ReadonlyMap<string, readonly string[]>
  /** The same as grants. */
  readonly grants: readonly RoleGrant[]
  readonly problems: readonly PermissionProblem[]
}

/** Looks permissions up; every audience must exist and be named once, and every scope match one it declares. */
export async function resolvePermissions(
  db: Queryable,
  written: readonly WrittenPermission[],
): Promise<ResolvedPermissions> {
  const byServer = new Map<string, readonly string[]>()
  const grants: RoleGrant[] = []
  const problems: PermissionProblem[] = []
  for (const [index, { audience, scopes: asWritten }] of written.entries()) {
    const server = await findResourceServer(db, audience)
    if (!server) {
      problems.push({ path: [index, 'audience'], message: `there is no resource server ${audience}` })
      continue
    }
    if (byServer.has(server.id))
      problems.push({ path: [index, 'audience'], message: `${audience} is declared twice` })
    const declaredScopes = [...(await listScopes(db, server.id)).keys()]
    for (const [place, scope] of asWritten.entries()) {
      if (narrowScopes([scope], declaredScopes).length > 0) continue
      problems.push({
        path: [index, 'scopes', place],
        message: `${scope} matches no scope of ${audience}`,
      })
    }
    const scopes = [...new Set(asWritten)].sort()
    byServer.set(server.id, scopes)
    grants.push({ audience, scopes, declaredScopes })
  }
  return { byServer, grants, problems }
}

// The `roles` section: a role of one organization, and the whole list of its permissions.

import { isDeepStrictEqual } from 'node:util'
import { narrowScopes } from '../../../protocol/scope.ts'
import { uuidV7 } from '../../../protocol/uuid.ts'
import { BUILT_IN_ROLES } from '../built-in.ts'
import { findResourceServer, listScopes } from '../resource-server-store.ts'
import { findRole, insertRole, listPermissions, type Permissions, replacePermissions } from '../role-store.ts'
import { requireOrganization } from './organizations.ts'
import { type ApplyRun, type Declared, withoutDuplicates } from './run.ts'
import type { ApplyFile } from './schema.ts'

type Role = ApplyFile['roles'][number]

const isBuiltIn = (name: string): boolean => BUILT_IN_ROLES.some((role) => role === name)

export async function applyRoles(run: ApplyRun, entries: readonly Declared<Role>[]): Promise<void> {
  const label = ({ organization, name }: Role): string => `${organization}/${name}`
  for (const entry of withoutDuplicates(run, 'role', entries, label)) {
    const { organization, name } = entry.value
    if (isBuiltIn(name)) {
      run.problems.push(`${entry.at('name')}: ${name} is built in and cannot be declared`)
      continue
    }
    const organizationId = await requireOrganization(run, organization, entry.at('organization'))
    const permissions = await resolvePermissions(run, entry)
    if (organizationId === null) continue
    // The role exists also when its permissions are wrong, so that whoever names it is not reported for that.
    const roleId = await ensureRole(run, organizationId, entry.value)
    if (permissions !== null) await applyPermissions(run, roleId, label(entry.value), permissions)
  }
}

async function ensureRole(
  run: ApplyRun,
  organizationId: string,
  { organization, name }: Role,
): Promise<string> {
  const existing = await findRole(run.transaction, organizationId, name)
  if (existing !== undefined) return existing
  const id = uuidV7(run.now)
  await insertRole(run.transaction, { id, organizationId, name, reach: 'organization' }, run.now)
  run.changes.push(`created role ${organization}/${name}`)
  return id
}

/** What a role permits; null after reporting audiences or scopes that do not exist. */
async function resolvePermissions(run: ApplyRun, { value, at }: Declared<Role>): Promise<Permissions | null> {
  const resolved = new Map<string, readonly string[]>()
  const problemsBefore = run.problems.length
  for (const [index, { audience, scopes }] of value.permissions.entries()) {
    const server = await findResourceServer(run.transaction, audience)
    if (!server) {
      run.problems.push(`${at('permissions', index, 'audience')}: there is no resource server ${audience}`)
      continue
    }
    if (resolved.has(server.id))
      run.problems.push(`${at('permissions', index, 'audience')}: ${audience} is declared twice`)
    const known = [...(await listScopes(run.transaction, server.id)).keys()]
    for (const [place, scope] of scopes.entries()) {
      if (narrowScopes([scope], known).length > 0) continue
      run.problems.push(
        `${at('permissions', index, 'scopes', place)}: ${scope} matches no scope of ${audience}`,
      )
    }
    resolved.set(server.id, [...new Set(scopes)].sort())
  }
  return run.problems.length === problemsBefore ? resolved : null
}

async function applyPermissions(
  run: ApplyRun,
  roleId: string,
  label: string,
  permissions: Permissions,
): Promise<void> {
  const before = await listPermissions(run.transaction, roleId)
  if (isDeepStrictEqual(before, permissions)) return
  await replacePermissions(run.transaction, roleId, permissions)
  run.changes.push(`updated permissions of role ${label}`)
}

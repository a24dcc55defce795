// The `roles` section: a role of one organization, and the whole list of its permissions.

import { narrowScopes } from '../../../protocol/scope.ts'
import { uuidV7 } from '../../../protocol/uuid.ts'
import { BUILT_IN_ROLES } from '../built-in.ts'
import { requireOrganization } from './organizations.ts'
import { type ApplyRun, type Declared, withoutDuplicates } from './run.ts'
import type { ApplyFile } from './schema.ts'

type Role = ApplyFile['roles'][number]
type Scopes = readonly string[]

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
    const roleId = await saveRole(run, organizationId, entry.value)
    if (permissions !== null) await savePermissions(run, roleId, label(entry.value), permissions)
  }
}

async function saveRole(
  run: ApplyRun,
  organizationId: string,
  { organization, name }: Role,
): Promise<string> {
  const existing = await run.transaction
    .selectFrom('roles')
    .select('id')
    .where('organization_id', '=', organizationId)
    .where('name', '=', name)
    .executeTakeFirst()
  if (existing) return existing.id
  const id = uuidV7(run.now)
  await run.transaction
    .insertInto('roles')
    .values({ id, organization_id: organizationId, name, reach: 'organization', created_at: run.now })
    .execute()
  run.changes.push(`created role ${organization}/${name}`)
  return id
}

/** Scopes by resource server id; null after reporting audiences or scopes that do not exist. */
async function resolvePermissions(
  run: ApplyRun,
  { value, at }: Declared<Role>,
): Promise<Map<string, Scopes> | null> {
  const resolved = new Map<string, Scopes>()
  const problemsBefore = run.problems.length
  for (const [index, { audience, scopes }] of value.permissions.entries()) {
    const server = await run.transaction
      .selectFrom('resource_servers as s')
      .leftJoin('resource_scopes as x', 'x.resource_server_id', 's.id')
      .select(['s.id', 'x.scope'])
      .where('s.audience', '=', audience)
      .execute()
    const id = server[0]?.id
    if (id === undefined) {
      run.problems.push(`${at('permissions', index, 'audience')}: there is no resource server ${audience}`)
      continue
    }
    if (resolved.has(id))
      run.problems.push(`${at('permissions', index, 'audience')}: ${audience} is declared twice`)
    const declared = server.flatMap(({ scope }) => scope ?? [])
    for (const [place, scope] of scopes.entries()) {
      if (narrowScopes([scope], declared).length > 0) continue
      run.problems.push(
        `${at('permissions', index, 'scopes', place)}: ${scope} matches no scope of ${audience}`,
      )
    }
    resolved.set(id, [...new Set(scopes)].sort())
  }
  return run.problems.length === problemsBefore ? resolved : null
}

async function savePermissions(
  run: ApplyRun,
  roleId: string,
  label: string,
  permissions: ReadonlyMap<string, Scopes>,
): Promise<void> {
  const before = await run.transaction
    .selectFrom('role_permissions')
    .select(['resource_server_id', 'scopes'])
    .where('role_id', '=', roleId)
    .execute()
  const fingerprint = (entries: readonly (readonly [string, Scopes])[]): string =>
    JSON.stringify([...entries].sort())
  const old = before.map(({ resource_server_id, scopes }) => [resource_server_id, scopes] as const)
  if (fingerprint(old) === fingerprint([...permissions])) return
  await run.transaction.deleteFrom('role_permissions').where('role_id', '=', roleId).execute()
  for (const [resourceServerId, scopes] of permissions) {
    await run.transaction
      .insertInto('role_permissions')
      .values({ role_id: roleId, resource_server_id: resourceServerId, scopes: [...scopes] })
      .execute()
  }
  run.changes.push(`updated permissions of role ${label}`)
}

// The `roles` section: a role of one organization, and the whole list of its permissions.

import { isDeepStrictEqual } from 'node:util'
import { uuidV7 } from '../../../protocol/uuid.ts'
import { isBuiltInRole } from '../built-in.ts'
import { resolvePermissions } from '../role-permissions.ts'
import {
  findRoleOf,
  insertRole,
  listPermissions,
  type Permissions,
  replacePermissions,
} from '../role-store.ts'
import { requireOrganization } from './organizations.ts'
import { type ApplyRun, type Declared, withoutDuplicates } from './run.ts'
import type { ApplyFile } from './schema.ts'

type Role = ApplyFile['roles'][number]

export async function applyRoles(run: ApplyRun, entries: readonly Declared<Role>[]): Promise<void> {
  const label = ({ organization, name }: Role): string => `${organization}/${name}`
  for (const entry of withoutDuplicates(run, 'role', entries, label)) {
    const { organization, name } = entry.value
    if (isBuiltInRole(name)) {
      run.problems.push(`${entry.at('name')}: ${name} is built in and cannot be declared`)
      continue
    }
    const organizationId = await requireOrganization(run, organization, entry.at('organization'))
    const { byServer, problems } = await resolvePermissions(run.transaction, entry.value.permissions)
    run.problems.push(
      ...problems.map(({ path, message }) => `${entry.at('permissions', ...path)}: ${message}`),
    )
    if (organizationId === null) continue
    // The role exists also when its permissions are wrong, so that whoever names it is not reported for that.
    const roleId = await ensureRole(run, organizationId, entry.value)
    if (problems.length === 0) await applyPermissions(run, roleId, label(entry.value), byServer)
  }
}

async function ensureRole(
  run: ApplyRun,
  organizationId: string,
  { organization, name }: Role,
): Promise<string> {
  const id = uuidV7(run.now)
  if (await insertRole(run.transaction, { id, organizationId, name, reach: 'organization' }, run.now)) {
    run.changes.push(`created role ${organization}/${name}`)
    return id
  }
  const existing = await findRoleOf(run.transaction, organizationId, name)
  if (!existing) throw new Error(`role ${organization}/${name} was deleted at the same time`)
  return existing.id
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

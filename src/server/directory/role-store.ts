// The rows of `roles` and `role_permissions`.

import type { Queryable } from '../db/database.ts'

export interface NewRole {
  readonly id: string
  /** Null for a built-in role, which every organization has. */
  readonly organizationId: string | null
  readonly name: string
  readonly reach: 'platform' | 'organization'
}

/** What a role permits: scopes by resource server id. */
export type Permissions = ReadonlyMap<string, readonly string[]>

/** Id of an organization's own role; null asks for a built-in one. */
export async function findRole(
  db: Queryable,
  organizationId: string | null,
  name: string,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('roles')
    .select('id')
    .where('organization_id', organizationId === null ? 'is' : '=', organizationId)
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.id
}

/** Id of a role that members of an organization can have: its own, or a built-in one. */
export async function findAssignableRole(
  db: Queryable,
  organizationId: string,
  name: string,
): Promise<string | undefined> {
  return (await findRole(db, organizationId, name)) ?? findRole(db, null, name)
}

export async function insertRole(db: Queryable, role: NewRole, now: Date): Promise<void> {
  await db.insertInto('roles').values(toRow(role, now)).execute()
}

/** Makes a built-in role or brings it up to date; gives the id it has. */
export async function saveBuiltInRole(
  db: Queryable,
  role: Omit<NewRole, 'organizationId'>,
  now: Date,
): Promise<string> {
  const { reach } = role
  const { id } = await db
    .insertInto('roles')
    .values(toRow({ ...role, organizationId: null }, now))
    .onConflict((conflict) => conflict.columns(['organization_id', 'name']).doUpdateSet({ reach }))
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

const toRow = ({ id, organizationId, name, reach }: NewRole, now: Date) => ({
  id,
  organization_id: organizationId,
  name,
  reach,
  created_at: now,
})

export async function listPermissions(db: Queryable, roleId: string): Promise<Map<string, string[]>> {
  const rows = await db
    .selectFrom('role_permissions')
    .select(['resource_server_id', 'scopes'])
    .where('role_id', '=', roleId)
    .execute()
  return new Map(rows.map(({ resource_server_id, scopes }) => [resource_server_id, scopes]))
}

/** Makes `permissions` all that a role permits. Needs a transaction. */
export async function replacePermissions(
  transaction: Queryable,
  roleId: string,
  permissions: Permissions,
): Promise<void> {
  await transaction.deleteFrom('role_permissions').where('role_id', '=', roleId).execute()
  const rows = [...permissions].map(([resourceServerId, scopes]) => ({
    role_id: roleId,
    resource_server_id: resourceServerId,
    scopes: [...scopes],
  }))
  if (rows.length > 0) await transaction.insertInto('role_permissions').values(rows).execute()
}

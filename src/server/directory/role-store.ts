// The rows of `roles` and `role_permissions`.

import type { Queryable } from '../db/database.ts'
import { type Grant, grantsOfRole } from '../db/role-grants.ts'

export interface NewRole {
  readonly id: string
  /** Null for a built-in role, which every organization has. */
  readonly organizationId: string | null
  readonly name: string
  readonly reach: 'platform' | 'organization'
}

/** What a role permits: scopes by resource server id. */
export type Permissions = ReadonlyMap<string, readonly string[]>

/** What a role permits at one audience. */
export type RoleGrant = Pick<Grant, 'audience' | 'scopes' | 'declaredScopes'>

export interface Role extends NewRole {
  readonly grants: readonly RoleGrant[]
  readonly createdAt: Date
}

/** The roles that members of an organization can have: its own, and the built-in ones. */
const selectRolesOf = (db: Queryable, organizationId: string) =>
  db
    .selectFrom('roles as r')
    .select([
      'r.id',
      'r.organization_id as organizationId',
      'r.name',
      'r.reach',
      'r.created_at as createdAt',
      grantsOfRole.as('grants'),
    ])
    .where((where) =>
      where.or([where('r.organization_id', '=', organizationId), where('r.organization_id', 'is', null)]),
    )

/** Roles of an organization and built-in ones by id, which is a UUIDv7, after the role with id `after`. */
export async function listRolesOf(
  db: Queryable,
  organizationId: string,
  limit: number,
  after: string | null,
): Promise<Role[]> {
  return selectRolesOf(db, organizationId)
    .$if(after !== null, (query) => query.where('r.id', '>', after ?? ''))
    .orderBy('r.id')
    .limit(limit)
    .execute()
}

/** The role of this name that members of an organization can have, its own or a built-in one, with all it grants. */
export async function findRoleOf(
  db: Queryable,
  organizationId: string,
  name: string,
): Promise<Role | undefined> {
  return selectRolesOf(db, organizationId)
    .where('r.name', '=', name)
    .orderBy('r.organization_id', (order) => order.asc().nullsLast())
    .executeTakeFirst()
}

/** What an organization's own roles grant, all together. */
export async function listOwnGrants(db: Queryable, organizationId: string): Promise<RoleGrant[]> {
  const roles = await db
    .selectFrom('roles as r')
    .select(grantsOfRole.as('grants'))
    .where('r.organization_id', '=', organizationId)
    .execute()
  return roles.flatMap(({ grants }) => grants)
}

/** Makes a role; false when the organization has one of this name. */
export async function insertRole(db: Queryable, role: NewRole, now: Date): Promise<boolean> {
  const row = await db
    .insertInto('roles')
    .values(toRow(role, now))
    .onConflict((conflict) => conflict.columns(['organization_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Deletes a role. Who has it, member or API key, stays without one. */
export async function deleteRole(db: Queryable, id: string): Promise<void> {
  await db.deleteFrom('roles').where('id', '=', id).execute()
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

/** Makes `permissions` all that a role permits, at the resource servers that still exist. Needs a transaction. */
export async function replacePermissions(
  transaction: Queryable,
  roleId: string,
  permissions: Permissions,
): Promise<void> {
  // First, because whoever deletes a resource server holds it while waiting for its permissions to go.
  const rows = (await holdResourceServers(transaction, [...permissions.keys()])).map((id) => ({
    role_id: roleId,
    resource_server_id: id,
    scopes: [...(permissions.get(id) ?? [])],
  }))
  await transaction.deleteFrom('role_permissions').where('role_id', '=', roleId).execute()
  if (rows.length > 0) await transaction.insertInto('role_permissions').values(rows).execute()
}

/** Those of the resource servers with these ids that exist, and will until the transaction ends. */
async function holdResourceServers(transaction: Queryable, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await transaction
    .selectFrom('resource_servers')
    .select('id')
    .where('id', 'in', ids)
    .orderBy('id')
    .forKeyShare()
    .execute()
  return rows.map(({ id }) => id)
}

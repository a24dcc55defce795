// What issuing a PAT reads of its owner: status, memberships, and the role with all it grants.

import type { Queryable } from '../db/database.ts'
import { grantsOfRole } from '../db/role-grants.ts'
import type { Role } from './standing.ts'

/** Serializes everything that counts an owner's credentials; gives the owner's status, `undefined` if unknown. */
export async function lockOwner(
  transaction: Queryable,
  ownerId: string,
): Promise<'active' | 'suspended' | 'deleted' | undefined> {
  const row = await transaction
    .selectFrom('users')
    .select('status')
    .where('id', '=', ownerId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  return row?.status
}

/** The role a user has in an organization, with all it grants; `undefined` when not a member. */
export async function findMembership(
  db: Queryable,
  userId: string,
  organizationId: string,
): Promise<Role | undefined> {
  return db
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .innerJoin('roles as r', 'r.id', 'm.role_id')
    .select(['r.name', 'r.reach', grantsOfRole.as('grants')])
    .where('m.user_id', '=', userId)
    .where('m.organization_id', '=', organizationId)
    .where('o.deleted_at', 'is', null)
    .executeTakeFirst()
}

/** The organizations a user belongs to. */
export async function listOrganizationsOf(
  db: Queryable,
  userId: string,
): Promise<{ id: string; slug: string }[]> {
  return db
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .select(['o.id', 'o.slug'])
    .where('m.user_id', '=', userId)
    .where('o.deleted_at', 'is', null)
    .orderBy('o.slug')
    .execute()
}

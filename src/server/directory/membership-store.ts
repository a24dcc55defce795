// The rows of `memberships`: which role a user has in which organization. Deleted users are members of nothing.

import type { Queryable } from '../db/database.ts'

export interface Membership {
  readonly userId: string
  readonly organizationId: string
  readonly roleId: string
}

/** A user as an organization sees them. */
export interface Member {
  readonly userId: string
  readonly email: string
  readonly name: string
  readonly status: 'active' | 'suspended'
  /** Null after the role was deleted. */
  readonly role: string | null
  readonly createdAt: Date
}

const selectMembers = (db: Queryable, organizationId: string) =>
  db
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .leftJoin('roles as r', 'r.id', 'm.role_id')
    .select([
      'm.user_id as userId',
      'u.email',
      'u.name',
      'u.status',
      'r.name as role',
      'm.created_at as createdAt',
    ])
    .where('m.organization_id', '=', organizationId)
    .where('u.status', '<>', 'deleted')
    .$narrowType<{ status: Member['status'] }>()

/** Members of an organization by user id, after the user with id `after`. */
export async function listMembers(
  db: Queryable,
  organizationId: string,
  limit: number,
  after: string | null,
): Promise<Member[]> {
  return selectMembers(db, organizationId)
    .$if(after !== null, (query) => query.where('m.user_id', '>', after ?? ''))
    .orderBy('m.user_id')
    .limit(limit)
    .execute()
}

export async function findMember(
  db: Queryable,
  organizationId: string,
  userId: string,
): Promise<Member | undefined> {
  return selectMembers(db, organizationId).where('m.user_id', '=', userId).executeTakeFirst()
}

/** Waits for whoever changes this membership, and keeps others waiting until the transaction ends. */
export async function lockMembership(
  transaction: Queryable,
  organizationId: string,
  userId: string,
): Promise<void> {
  // Alone: a join would pair the row that another transaction has just changed with the role it had before.
  await transaction
    .selectFrom('memberships')
    .select('user_id')
    .where('user_id', '=', userId)
    .where('organization_id', '=', organizationId)
    .forNoKeyUpdate()
    .execute()
}

/** A user's memberships of organizations that are not deleted, in no order. */
export async function listMemberships(
  db: Queryable,
  userId: string,
): Promise<{ organizationId: string; slug: string; roleId: string | null }[]> {
  return db
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .select(['m.organization_id as organizationId', 'o.slug', 'm.role_id as roleId'])
    .where('m.user_id', '=', userId)
    .where('o.deleted_at', 'is', null)
    .execute()
}

const toRow = ({ userId, organizationId, roleId }: Membership, now: Date) => ({
  user_id: userId,
  organization_id: organizationId,
  role_id: roleId,
  created_at: now,
})

/** Makes a user a member; false when they are one already. */
export async function insertMembership(db: Queryable, membership: Membership, now: Date): Promise<boolean> {
  const row = await db
    .insertInto('memberships')
    .values(toRow(membership, now))
    .onConflict((conflict) => conflict.columns(['user_id', 'organization_id']).doNothing())
    .returning('user_id')
    .executeTakeFirst()
  return row !== undefined
}

/** Makes a user a member, or changes the role of one who is. */
export async function saveMembership(db: Queryable, membership: Membership, now: Date): Promise<void> {
  await db
    .insertInto('memberships')
    .values(toRow(membership, now))
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'organization_id']).doUpdateSet({ role_id: membership.roleId }),
    )
    .execute()
}

export async function deleteMembership(db: Queryable, userId: string, organizationId: string): Promise<void> {
  await db
    .deleteFrom('memberships')
    .where('user_id', '=', userId)
    .where('organization_id', '=', organizationId)
    .execute()
}

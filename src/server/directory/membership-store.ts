// The rows of `memberships`: which role a user has in which organization. Deleted users are members of nothing.

import type { Queryable } from '../db/database.ts'
import type { NewRole } from './role-store.ts'

export interface Membership {
  readonly userId: string
  readonly organizationId: string
  readonly roleId: string
}

/** How far the management rights of a role go. */
type Reach = NewRole['reach']

/** A user as an organization sees them. */
export interface Member {
  readonly userId: string
  readonly email: string
  readonly name: string
  readonly status: 'active' | 'suspended'
  /** Null after the role was deleted, and so is its reach. */
  readonly role: string | null
  readonly reach: Reach | null
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
      'r.reach',
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

const lockMembershipRows = (transaction: Queryable, userId: string) =>
  // Alone: a join would pair the row that another transaction has just changed with the role it had before.
  transaction.selectFrom('memberships').select('user_id').where('user_id', '=', userId).forNoKeyUpdate()

/** Waits for whoever changes this membership, and keeps others waiting until the transaction ends. */
export async function lockMembership(
  transaction: Queryable,
  organizationId: string,
  userId: string,
): Promise<void> {
  await lockMembershipRows(transaction, userId).where('organization_id', '=', organizationId).execute()
}

/** The same for every membership of a user. New ones wait for whoever holds the user's row. */
export async function lockMembershipsOf(transaction: Queryable, userId: string): Promise<void> {
  await lockMembershipRows(transaction, userId).execute()
}

/** Where a user belongs, and as what. */
export interface UserMembership {
  readonly organizationId: string
  /** Its slug. */
  readonly organization: string
  /** Null after the role was deleted, and so is all of it. */
  readonly role: string | null
  readonly roleId: string | null
  readonly reach: Reach | null
}

/** A user's memberships of organizations that are not deleted, by slug. */
export async function listMembershipsOf(db: Queryable, userId: string): Promise<UserMembership[]> {
  return db
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .leftJoin('roles as r', 'r.id', 'm.role_id')
    .select([
      'o.id as organizationId',
      'o.slug as organization',
      'r.name as role',
      'm.role_id as roleId',
      'r.reach',
    ])
    .where('m.user_id', '=', userId)
    .where('o.deleted_at', 'is', null)
    .orderBy('o.slug')
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

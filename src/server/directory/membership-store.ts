// The rows of `memberships`: which role a user has in which organization.

import type { Queryable } from '../db/database.ts'

export interface Membership {
  readonly userId: string
  readonly organizationId: string
  readonly roleId: string
}

/** A user's memberships, in no order. */
export async function listMemberships(
  db: Queryable,
  userId: string,
): Promise<{ organizationId: string; slug: string; roleId: string | null }[]> {
  return db
    .selectFrom('memberships as m')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .select(['m.organization_id as organizationId', 'o.slug', 'm.role_id as roleId'])
    .where('m.user_id', '=', userId)
    .execute()
}

/** Makes a user a member, or changes the role of one who is. */
export async function saveMembership(
  db: Queryable,
  { userId, organizationId, roleId }: Membership,
  now: Date,
): Promise<void> {
  await db
    .insertInto('memberships')
    .values({ user_id: userId, organization_id: organizationId, role_id: roleId, created_at: now })
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'organization_id']).doUpdateSet({ role_id: roleId }),
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

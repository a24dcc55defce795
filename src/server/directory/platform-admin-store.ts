// Whether somebody is left who may change everything: without an active platform admin nobody could ever make one.

import type { Queryable } from '../db/database.ts'
import { lockUntilEnd } from '../db/lock.ts'

/**
 * Makes changes that could take the last platform admin away wait for each other until the transaction ends. Take it
 * after every row the change waits for and none after it, or two transactions could wait for each other for ever.
 */
export const lockPlatformAdmins = (transaction: Queryable): Promise<void> =>
  lockUntilEnd(transaction, 'patmint.platform_admins')

/** Whether an active user is platform admin in an organization that is not deleted. Call after the change. */
export async function hasPlatformAdmin(transaction: Queryable): Promise<boolean> {
  const row = await transaction
    .selectFrom('memberships as m')
    .innerJoin('roles as r', 'r.id', 'm.role_id')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .innerJoin('organizations as o', 'o.id', 'm.organization_id')
    .select('m.user_id')
    .where('r.reach', '=', 'platform')
    .where('u.status', '=', 'active')
    .where('o.deleted_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

// Whom a notice is for: the owner of a PAT, and of an API key whoever may write the API keys of its organization.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import type { Person, Recipient } from './message.ts'

/** More of them are not told. */
const MOST_ADMINS = 50
/** Every scope of a role that covers it. */
const WRITES_KEYS = ['keys:write', 'keys:*', '*:write', '*:*']

/** `undefined` unless the user is active. */
export async function findActivePerson(db: Queryable, id: string): Promise<Person | undefined> {
  return db
    .selectFrom('users')
    .select(['id', 'name', 'email'])
    .where('id', '=', id)
    .where('status', '=', 'active')
    .executeTakeFirst()
}

/** Those who may write API keys there, the longest members first. */
export async function listKeyAdmins(db: Queryable, organizationId: string): Promise<Recipient[]> {
  return db
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .innerJoin('role_permissions as p', 'p.role_id', 'm.role_id')
    .innerJoin('resource_servers as s', 's.id', 'p.resource_server_id')
    .select(['u.id', 'u.email'])
    .where('m.organization_id', '=', organizationId)
    .where('u.status', '=', 'active')
    .where('s.built_in', '=', true)
    .where(sql<boolean>`p.scopes && ${WRITES_KEYS}::text[]`)
    .orderBy('m.created_at')
    .orderBy('m.user_id')
    .limit(MOST_ADMINS)
    .execute()
}

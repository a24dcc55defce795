// The rows of `users`.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import { unlessTaken } from '../db/unique.ts'

export type UserStatus = 'active' | 'suspended' | 'deleted'

export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly status: UserStatus
  readonly createdAt: Date
}

export interface NewUser extends User {
  /** Null for users who only sign in elsewhere. */
  readonly passwordHash: string | null
}

export interface UserFilter {
  /** Null: users of every organization. */
  readonly organizationId: string | null
  /** Exact e-mail address, in any case of letters; null for all. */
  readonly email: string | null
  /** Only users made after the one with this id. */
  readonly after: { readonly id: string } | null
  readonly limit: number
}

const COLUMNS = ['u.id', 'u.email', 'u.name', 'u.status', 'u.created_at as createdAt'] as const

/** Users that are not deleted, oldest first: by id, which is a UUIDv7, so that a page is a range of the primary key. */
export async function listUsers(db: Queryable, filter: UserFilter): Promise<User[]> {
  const { organizationId, email, after, limit } = filter
  return db
    .selectFrom('users as u')
    .select(COLUMNS)
    .where('u.status', '<>', 'deleted')
    .$if(email !== null, (query) => query.where(sql`lower(u.email)`, '=', email?.toLowerCase()))
    .$if(after !== null, (query) => query.where('u.id', '>', after?.id ?? ''))
    .$if(organizationId !== null, (query) =>
      query.where((where) =>
        where.exists(
          where
            .selectFrom('memberships as m')
            .select('m.user_id')
            .whereRef('m.user_id', '=', 'u.id')
            .where('m.organization_id', '=', organizationId ?? ''),
        ),
      ),
    )
    .orderBy('u.id')
    .limit(limit)
    .execute()
}

const selectUser = (db: Queryable, id: string) =>
  db.selectFrom('users as u').select(COLUMNS).where('u.id', '=', id).where('u.status', '<>', 'deleted')

/** The user with this id, unless deleted. */
export async function findUser(db: Queryable, id: string): Promise<User | undefined> {
  return selectUser(db, id).executeTakeFirst()
}

/**
 * The user with this id, unless deleted, as whoever changed it before left it. Others wait until the transaction
 * ends, and so does whoever issues a credential to this user.
 */
export async function lockUser(transaction: Queryable, id: string): Promise<User | undefined> {
  return selectUser(transaction, id).forNoKeyUpdate().executeTakeFirst()
}

const selectUserByEmail = (db: Queryable, email: string) =>
  db
    .selectFrom('users as u')
    .select(COLUMNS)
    .where(sql`lower(u.email)`, '=', email.toLowerCase())
    .where('u.status', '<>', 'deleted')

/** The user with this e-mail address, in any case of letters, unless deleted. */
export async function findUserByEmail(db: Queryable, email: string): Promise<User | undefined> {
  return selectUserByEmail(db, email).executeTakeFirst()
}

/** The same, locked like `lockUser`: whoever was deleted, or moved to another address, meanwhile is not found. */
export async function lockUserByEmail(transaction: Queryable, email: string): Promise<User | undefined> {
  return selectUserByEmail(transaction, email).forNoKeyUpdate().executeTakeFirst()
}

export async function insertUser(db: Queryable, user: NewUser): Promise<void> {
  const { id, email, name, status, passwordHash, createdAt } = user
  await db
    .insertInto('users')
    .values({ id, email, name, status, password_hash: passwordHash, created_at: createdAt })
    .execute()
}

/** Makes a user; false when the e-mail address is taken, which ends the transaction. */
export const addUser = (transaction: Queryable, user: NewUser): Promise<boolean> =>
  unlessTaken(insertUser(transaction, user))

export interface UserChanges {
  readonly email?: string
  readonly name?: string
  readonly status?: 'active' | 'suspended'
}

/** Changes a user; nothing brings a deleted one back. */
export async function updateUser(db: Queryable, id: string, changes: UserChanges): Promise<void> {
  await updateLiving(db, id).set(changes).execute()
}

const updateLiving = (db: Queryable, id: string) =>
  db.updateTable('users').where('id', '=', id).where('status', '<>', 'deleted')

/** Changes a user; false when the e-mail address is taken, which ends the transaction. */
export const changeUser = (transaction: Queryable, id: string, changes: UserChanges): Promise<boolean> =>
  unlessTaken(updateUser(transaction, id, changes))

/**
 * Deletes a user: the row stays, because its id stands in audit records; password, memberships and accounts
 * elsewhere go, and the e-mail address is free. Needs a transaction. Credentials are somebody else's.
 */
export async function eraseUser(transaction: Queryable, id: string): Promise<void> {
  await updateLiving(transaction, id).set({ status: 'deleted', password_hash: null }).execute()
  await transaction.deleteFrom('memberships').where('user_id', '=', id).execute()
  await sql`delete from identities where user_id = ${id}`.execute(transaction)
}

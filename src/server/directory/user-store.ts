// The rows of `users`.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'

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

/** The user with this e-mail address, in any case of letters, unless deleted. */
export async function findUserByEmail(db: Queryable, email: string): Promise<User | undefined> {
  return db
    .selectFrom('users as u')
    .select(COLUMNS)
    .where(sql`lower(u.email)`, '=', email.toLowerCase())
    .where('u.status', '<>', 'deleted')
    .executeTakeFirst()
}

export async function insertUser(db: Queryable, user: NewUser): Promise<void> {
  const { id, email, name, status, passwordHash, createdAt } = user
  await db
    .insertInto('users')
    .values({ id, email, name, status, password_hash: passwordHash, created_at: createdAt })
    .execute()
}

export async function updateUser(
  db: Queryable,
  id: string,
  changes: { readonly name: string; readonly status?: UserStatus },
): Promise<void> {
  await db.updateTable('users').set(changes).where('id', '=', id).execute()
}

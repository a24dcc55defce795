// The rows of `users`.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'

export interface User {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly status: 'active' | 'suspended' | 'deleted'
  readonly createdAt: Date
}

export interface UserFilter {
  /** Null: users of every organization. */
  readonly organizationId: string | null
  /** Exact e-mail address, in any case of letters; null for all. */
  readonly email: string | null
  /** Only users after this one in the order (created_at, id). */
  readonly after: { readonly createdAt: Date; readonly id: string } | null
  readonly limit: number
}

/** Users that are not deleted, oldest first. */
export async function listUsers(db: Queryable, filter: UserFilter): Promise<User[]> {
  const { organizationId, email, after, limit } = filter
  return db
    .selectFrom('users as u')
    .select(['u.id', 'u.email', 'u.name', 'u.status', 'u.created_at as createdAt'])
    .where('u.status', '<>', 'deleted')
    .$if(email !== null, (query) => query.where(sql`lower(u.email)`, '=', email?.toLowerCase()))
    .$if(after !== null, (query) =>
      query.where(sql<boolean>`(u.created_at, u.id) > (${after?.createdAt}, ${after?.id})`),
    )
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
    .orderBy('u.created_at')
    .orderBy('u.id')
    .limit(limit)
    .execute()
}

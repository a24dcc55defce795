// The rows of `credentials`.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import type { Permission } from './standing.ts'

/** A new PAT. */
export interface NewCredential {
  readonly id: string
  readonly kind: 'personal'
  readonly organizationId: string
  readonly ownerId: string
  readonly name: string
  readonly secretHash: string
  /** Null: all of the owner's role, as it is at each exchange. */
  readonly permissions: readonly Permission[] | null
  readonly allowedCidrs: readonly string[] | null
  /** Who issued it for the owner, and how far their management rights went; null when the owner made it. */
  readonly issuer: Issuer | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

export interface Issuer {
  readonly subject: string
  readonly reach: 'platform' | 'organization'
}

/** Where a page of a list starts: after this row of the order (created_at, id). */
export interface Cursor {
  readonly createdAt: Date
  readonly id: string
}

export async function insertCredential(db: Queryable, credential: NewCredential): Promise<void> {
  await db
    .insertInto('credentials')
    .values({
      id: credential.id,
      kind: credential.kind,
      organization_id: credential.organizationId,
      owner_id: credential.ownerId,
      role_id: null,
      name: credential.name,
      secret_hash: credential.secretHash,
      permissions: credential.permissions && JSON.stringify(credential.permissions),
      allowed_cidrs: credential.allowedCidrs && [...credential.allowedCidrs],
      issued_by: credential.issuer?.subject ?? null,
      issued_reach: credential.issuer?.reach ?? null,
      created_at: credential.createdAt,
      expires_at: credential.expiresAt,
    })
    .execute()
}

/** An owner's credentials, in every organization, that are neither revoked, superseded nor expired. */
export async function listLive(
  db: Queryable,
  ownerId: string,
  now: Date,
): Promise<{ name: string; organizationId: string }[]> {
  return db
    .selectFrom('credentials')
    .select(['name', 'organization_id as organizationId'])
    .where('owner_id', '=', ownerId)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
    .where((where) => where.or([where('overlap_until', 'is', null), where('overlap_until', '>', now)]))
    .execute()
}

/** Whether there ever was a credential. */
export async function hasCredentials(db: Queryable): Promise<boolean> {
  const row = await db.selectFrom('credentials').select('id').limit(1).executeTakeFirst()
  return row !== undefined
}

/** Whether a credential exists, belongs to this owner, and is of this organization. */
export async function isOwned(
  db: Queryable,
  id: string,
  ownerId: string,
  organizationId: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('credentials')
    .select('id')
    .where('id', '=', id)
    .where('owner_id', '=', ownerId)
    .where('organization_id', '=', organizationId)
    .executeTakeFirst()
  return row !== undefined
}

/** Marks a credential revoked; false when it already was. */
export async function markRevoked(db: Queryable, id: string, by: string, now: Date): Promise<boolean> {
  const row = await db
    .updateTable('credentials')
    .set({ revoked_at: now, revoked_by: by })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

/** Ids of the credentials an owner holds in one organization, oldest first, after `cursor`. */
export async function listCredentialIds(
  db: Queryable,
  ownerId: string,
  organizationId: string,
  limit: number,
  cursor: Cursor | null,
): Promise<string[]> {
  const rows = await db
    .selectFrom('credentials')
    .select('id')
    .where('owner_id', '=', ownerId)
    .where('organization_id', '=', organizationId)
    .$if(cursor !== null, (query) =>
      query.where(sql<boolean>`(created_at, id) > (${cursor?.createdAt}, ${cursor?.id})`),
    )
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

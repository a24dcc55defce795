// The rows of `credentials`, and what issuing one reads beside them.

import { sql } from 'kysely'
import type { CredentialKind } from '../../protocol/credential.ts'
import type { Queryable } from '../db/database.ts'
import type { Permission, Role } from './standing.ts'
import { grantsOfRole } from './standing-store.ts'

export interface NewCredential {
  readonly id: string
  readonly kind: CredentialKind
  readonly organizationId: string
  readonly ownerId: string
  readonly name: string
  readonly secretHash: string
  readonly permissions: readonly Permission[] | null
  readonly allowedCidrs: readonly string[] | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
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
      created_at: credential.createdAt,
      expires_at: credential.expiresAt,
    })
    .execute()
}

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
    .innerJoin('roles as r', 'r.id', 'm.role_id')
    .select(['r.name', 'r.reach', grantsOfRole.as('grants')])
    .where('m.user_id', '=', userId)
    .where('m.organization_id', '=', organizationId)
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
    .orderBy('o.slug')
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

/** Whether a credential exists and belongs to this owner. */
export async function findOwned(db: Queryable, id: string, ownerId: string): Promise<boolean> {
  const row = await db
    .selectFrom('credentials')
    .select('id')
    .where('id', '=', id)
    .where('owner_id', '=', ownerId)
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

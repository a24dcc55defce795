// The rows of `credentials`.

import type { Queryable } from '../db/database.ts'
import type { Permission, PermittedActor } from './standing.ts'

interface NewRow {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly secretHash: string
  /** Null: all of the role, as it is at each exchange. */
  readonly permissions: readonly Permission[] | null
  readonly allowedCidrs: readonly string[] | null
  readonly mayAct: readonly PermittedActor[] | null
  /** Who issued it and saw its value, and what they could manage; null when its owner made it. */
  readonly issuer: Issuer | null
  readonly createdAt: Date
  readonly expiresAt: Date | null
}

/** A new PAT, of a user; or a new API key, of an organization and with a role of its own. */
export type NewCredential =
  | (NewRow & { readonly kind: 'personal'; readonly ownerId: string })
  | (NewRow & { readonly kind: 'organization'; readonly roleId: string })

export interface Issuer {
  readonly subject: string
  readonly reach: 'platform' | 'organization'
  /** Of the management API, as granted. */
  readonly scopes: readonly string[]
}

export async function insertCredential(db: Queryable, credential: NewCredential): Promise<void> {
  await db
    .insertInto('credentials')
    .values({
      id: credential.id,
      kind: credential.kind,
      organization_id: credential.organizationId,
      owner_id: credential.kind === 'personal' ? credential.ownerId : null,
      role_id: credential.kind === 'organization' ? credential.roleId : null,
      name: credential.name,
      secret_hash: credential.secretHash,
      permissions: credential.permissions && JSON.stringify(credential.permissions),
      allowed_cidrs: credential.allowedCidrs && [...credential.allowedCidrs],
      may_act: credential.mayAct && JSON.stringify(credential.mayAct),
      issued_by: credential.issuer?.subject ?? null,
      issued_reach: credential.issuer?.reach ?? null,
      issued_scopes: credential.issuer && [...credential.issuer.scopes],
      created_at: credential.createdAt,
      expires_at: credential.expiresAt,
    })
    .execute()
}

/** Puts a fresh hash of the same secret in the place of an outdated one, if that is still there. */
export async function replaceSecretHash(
  db: Queryable,
  id: string,
  outdated: string,
  fresh: string,
): Promise<void> {
  await db
    .updateTable('credentials')
    .set({ secret_hash: fresh })
    .where('id', '=', id)
    .where('secret_hash', '=', outdated)
    .execute()
}

/** Whether there ever was a credential. */
export async function hasCredentials(db: Queryable): Promise<boolean> {
  const row = await db.selectFrom('credentials').select('id').limit(1).executeTakeFirst()
  return row !== undefined
}

/** Why and by whom a credential is revoked. */
export interface Revocation {
  /** Subject of whoever revokes; null for the holder of the value, whoever that is. */
  readonly by: string | null
  /** A stable word its owner and admins see; null for the plain wish of whoever revokes. */
  readonly reason: string | null
  readonly at: Date
}

/** Marks a credential revoked; false when it already was. */
export async function markRevoked(
  db: Queryable,
  id: string,
  { by, reason, at }: Revocation,
): Promise<boolean> {
  const row = await db
    .updateTable('credentials')
    .set({ revoked_at: at, revoked_by: by, revoked_reason: reason })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}

export async function setName(db: Queryable, id: string, name: string): Promise<void> {
  await db.updateTable('credentials').set({ name }).where('id', '=', id).execute()
}

/** Waits for whoever changes this credential, and keeps others waiting until the transaction ends. */
export async function lockCredential(transaction: Queryable, id: string): Promise<void> {
  await transaction.selectFrom('credentials').select('id').where('id', '=', id).forNoKeyUpdate().execute()
}

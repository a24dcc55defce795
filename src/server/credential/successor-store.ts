// The two rows of a rotation: the successor, and the old one with the end of its overlap.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import type { Issuer } from './store.ts'

export interface Successor {
  readonly id: string
  readonly secretHash: string
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly reuseDetectedAt: Date | null
  /** Null: the one of the old value. */
  readonly issuer: Issuer | null
}

const INHERITED = [
  'kind',
  'organization_id',
  'owner_id',
  'role_id',
  'name',
  'permissions',
  'allowed_cidrs',
  'may_act',
] as const

/** Makes the successor of a credential: all that is not the value's own is as it was. */
export async function insertSuccessor(db: Queryable, id: string, successor: Successor): Promise<void> {
  const { subject = null, reach = null, scopes = null } = successor.issuer ?? {}
  await db
    .insertInto('credentials')
    .columns([
      'id',
      'secret_hash',
      'created_at',
      'expires_at',
      'reuse_detected_at',
      'replaces',
      'issued_by',
      'issued_reach',
      'issued_scopes',
      ...INHERITED,
    ])
    .expression((from) =>
      from
        .selectFrom('credentials')
        .select(({ val, cast }) => [
          val(successor.id).as('id'),
          val(successor.secretHash).as('secret_hash'),
          cast<Date>(val(successor.createdAt), 'timestamptz').as('created_at'),
          cast<Date | null>(val(successor.expiresAt), 'timestamptz').as('expires_at'),
          cast<Date | null>(val(successor.reuseDetectedAt), 'timestamptz').as('reuse_detected_at'),
          'id as replaces',
          sql<string | null>`coalesce(${subject}, issued_by)`.as('issued_by'),
          sql<Issuer['reach'] | null>`coalesce(${reach}, issued_reach)`.as('issued_reach'),
          sql<string[] | null>`coalesce(${scopes && [...scopes]}::text[], issued_scopes)`.as('issued_scopes'),
        ])
        .select(INHERITED)
        .where('id', '=', id),
    )
    .execute()
}

/** From `until` on the old value works no more. */
export async function setOverlap(db: Queryable, id: string, until: Date): Promise<void> {
  await db.updateTable('credentials').set({ overlap_until: until }).where('id', '=', id).execute()
}

// The rows of `notices`, and how each comes to its state. Whatever is written says which state it was in before, so that
// of several who settle a notice one does.

import { sql } from 'kysely'
import type { Database, Queryable } from '../db/database.ts'
import { PURGE_BATCH, purgeInBatches } from '../db/purge.ts'
import type { NoticesTable } from '../db/tables.ts'

export type Channel = NoticesTable['channel']['__select__']
export type NoticeState = NoticesTable['state']

export interface NewNotice {
  readonly id: string
  readonly credentialId: string
  readonly organizationId: string
  readonly days: number
  readonly channel: Channel
  readonly receiver: string
  /** A UTC day. */
  readonly endsOn: string
}

export interface Notice extends NewNotice {
  readonly state: NoticeState
  readonly createdAt: Date
  /** Ids of those of its people who have it already. */
  readonly told: readonly string[]
}

/** `undefined` when it was removed. */
export async function findNotice(db: Queryable, id: string): Promise<Notice | undefined> {
  return db
    .selectFrom('notices')
    .select([
      'id',
      'credential_id as credentialId',
      'organization_id as organizationId',
      'days',
      'channel',
      'receiver',
      sql<string>`to_char(ends_on, 'YYYY-MM-DD')`.as('endsOn'),
      'state',
      'created_at as createdAt',
      'told',
    ])
    .where('id', '=', id)
    .executeTakeFirst()
}

/** Whether the same receiver is told of the same end by a notice of a nearer threshold. */
export async function hasNearer(db: Queryable, notice: Notice): Promise<boolean> {
  const nearer = await db
    .selectFrom('notices')
    .select('id')
    .where('credential_id', '=', notice.credentialId)
    .where('channel', '=', notice.channel)
    .where('receiver', '=', notice.receiver)
    .where(sql<boolean>`ends_on = ${notice.endsOn}::date`)
    .where('days', '<', notice.days)
    .limit(1)
    .executeTakeFirst()
  return nearer !== undefined
}

/** Settles a notice that waits; `reason` says why it is cancelled. */
export async function settleNotice(
  db: Queryable,
  id: string,
  { state, reason, now }: { state: 'delivered' | 'cancelled'; reason: string | null; now: Date },
): Promise<void> {
  await db
    .updateTable('notices')
    .set((set) => ({
      state,
      reason,
      changed_at: now,
      ...(state === 'delivered' ? { attempts: set('attempts', '+', 1) } : {}),
    }))
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .execute()
}

/** Notes what a try failed for, and who was told by it all the same. */
export async function noteFailedTry(
  db: Queryable,
  id: string,
  { reason, told, now }: { reason: string; told: readonly string[]; now: Date },
): Promise<void> {
  await db
    .updateTable('notices')
    .set((set) => ({
      reason,
      changed_at: now,
      attempts: set('attempts', '+', 1),
      ...(told.length === 0 ? {} : { told: sql`told || ${told}::uuid[]` }),
    }))
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .execute()
}

/** Gives up a notice that waits; `undefined` when it does not wait any more. */
export async function failNotice(
  db: Queryable,
  id: string,
  now: Date,
): Promise<Pick<Notice, 'channel'> | undefined> {
  return db
    .updateTable('notices')
    .set({ state: 'failed', changed_at: now })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .returning('channel')
    .executeTakeFirst()
}

/** How many wait, and how many failed that somebody may still want to deliver: those whose end is not over. */
export async function countOpenNotices(
  db: Queryable,
  now: Date,
): Promise<Readonly<Record<'pending' | 'failed', number>>> {
  const counts = await db
    .selectFrom('notices')
    .select((select) => [
      select.fn.countAll<number>().filterWhere('state', '=', 'pending').as('pending'),
      select.fn.countAll<number>().filterWhere('state', '=', 'failed').as('failed'),
    ])
    .where('state', 'in', ['pending', 'failed'])
    .where(sql<boolean>`ends_on >= (${now}::timestamptz at time zone 'UTC')::date`)
    .executeTakeFirstOrThrow()
  return counts
}

/** Removes notices of ends that were over before `day`, in batches. */
export async function purgeNotices(db: Database, day: string, signal?: AbortSignal): Promise<void> {
  await purgeInBatches(() => purgeBatch(db, day), signal)
}

async function purgeBatch(db: Database, day: string): Promise<number> {
  const { numDeletedRows } = await db
    .with(
      (cte) => cte('over').materialized(),
      (query) =>
        query
          .selectFrom('notices')
          .select('id')
          .where(sql<boolean>`ends_on < ${day}::date`)
          .limit(PURGE_BATCH)
          .forUpdate()
          .skipLocked(),
    )
    .deleteFrom('notices as notice')
    .using('over')
    .whereRef('notice.id', '=', 'over.id')
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

// Pages of `notices`, newest first, and the way back for one that failed.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import type { Transaction } from '../db/transaction.ts'
import type { Channel, NoticeState } from './notice-store.ts'

export interface NoticeFilter {
  /** Undefined: of all of them. */
  readonly organizationId: string | undefined
  readonly state: NoticeState | undefined
  readonly credentialId: string | undefined
  /** Only this one. */
  readonly id?: string
}

export interface ListedNotice {
  readonly id: string
  readonly credentialId: string
  readonly organizationId: string
  readonly organization: string
  readonly days: number
  readonly endsOn: string
  readonly channel: Channel
  readonly receiver: string
  readonly state: NoticeState
  readonly reason: string | null
  readonly attempts: number
  readonly createdAt: Date
  readonly changedAt: Date
}

/** Where a page starts: after this row, the newest first. */
export interface NoticePosition {
  readonly createdAt: Date
  readonly id: string
}

export async function listNotices(
  db: Queryable,
  { organizationId, state, credentialId, id }: NoticeFilter,
  limit: number,
  position: NoticePosition | null,
): Promise<ListedNotice[]> {
  return (
    db
      .selectFrom('notices as n')
      .innerJoin('organizations as o', 'o.id', 'n.organization_id')
      .select([
        'n.id',
        'n.credential_id as credentialId',
        'n.organization_id as organizationId',
        'o.slug as organization',
        'n.days',
        sql<string>`to_char(n.ends_on, 'YYYY-MM-DD')`.as('endsOn'),
        'n.channel',
        'n.receiver',
        'n.state',
        'n.reason',
        'n.attempts',
        'n.created_at as createdAt',
        'n.changed_at as changedAt',
      ])
      .$if(organizationId !== undefined, (query) =>
        query.where('n.organization_id', '=', organizationId ?? ''),
      )
      // Written out: the index of those that are open is for a state that is known when it is planned.
      .$if(state !== undefined, (query) => query.where('n.state', '=', sql.lit(state ?? 'pending')))
      .$if(credentialId !== undefined, (query) => query.where('n.credential_id', '=', credentialId ?? ''))
      .$if(id !== undefined, (query) => query.where('n.id', '=', id ?? ''))
      .$if(position !== null, (query) =>
        query.where(sql<boolean>`(n.created_at, n.id) < (${position?.createdAt}, ${position?.id}::uuid)`),
      )
      .orderBy('n.created_at', 'desc')
      .orderBy('n.id', 'desc')
      .limit(limit)
      .execute()
  )
}

/** Has a notice that failed wait again; false when it is in another state. */
export async function reopenNotice(transaction: Transaction, id: string, now: Date): Promise<boolean> {
  const reopened = await transaction
    .updateTable('notices')
    .set({ state: 'pending', changed_at: now })
    .where('id', '=', id)
    .where('state', '=', 'failed')
    .returning('id')
    .executeTakeFirst()
  return reopened !== undefined
}

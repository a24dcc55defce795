// How notices come to wait: those that are due for the first time, and those that were cancelled and have become true again.

import { sql } from 'kysely'
import type { Transaction } from '../db/transaction.ts'
import type { Cancellation } from './judge.ts'
import type { NewNotice, Notice } from './notice-store.ts'

/** One that waits from now on, and needs a job. */
export type WaitingNotice = Pick<Notice, 'id' | 'channel'>

/** Where there was nobody to tell, a look seldom finds somebody; as long as a receiver waits that is down. */
const NOBODY_FOR_MS = 6 * 3_600_000
const NOBODY: Cancellation = 'nobody_to_tell'
/** Of two thresholds that are passed the nearer stays the nearer. */
const FOR_GOOD: Cancellation = 'nearer_notice'

/** Has those wait that are due and neither wait already nor were settled for good, and gives them. */
export async function openNotices(
  transaction: Transaction,
  due: readonly NewNotice[],
  now: Date,
): Promise<WaitingNotice[]> {
  const added = await insertNotices(transaction, due, now)
  return [...added, ...(await reopenCancelled(transaction, due, now))]
}

async function insertNotices(
  transaction: Transaction,
  due: readonly NewNotice[],
  now: Date,
): Promise<WaitingNotice[]> {
  return transaction
    .insertInto('notices')
    .values(
      due.map((notice) => ({
        id: notice.id,
        credential_id: notice.credentialId,
        organization_id: notice.organizationId,
        days: notice.days,
        channel: notice.channel,
        receiver: notice.receiver,
        ends_on: notice.endsOn,
        state: 'pending' as const,
        reason: null,
        created_at: now,
        changed_at: now,
      })),
    )
    .onConflict((conflict) => conflict.constraint('notices_once_key').doNothing())
    .returning(['id', 'channel'])
    .execute()
}

/** What a look finds due is true: a credential that was suspended works again, a policy binds again. */
async function reopenCancelled(
  transaction: Transaction,
  due: readonly NewNotice[],
  now: Date,
): Promise<WaitingNotice[]> {
  // Not by `on conflict do update`, which would write to all rows that are there, only to have them locked.
  const { rows } = await sql<WaitingNotice>`
    with again as (
      select n.id from jsonb_to_recordset(${JSON.stringify(due)}::jsonb)
        as due("credentialId" text, "endsOn" date, channel text, receiver text, days integer)
      join notices n on n.credential_id = due."credentialId" and n.ends_on = due."endsOn"
        and n.channel = due.channel and n.receiver = due.receiver and n.days = due.days
      where n.state = 'cancelled' and n.reason <> ${FOR_GOOD}
        and (n.reason <> ${NOBODY} or n.changed_at <= ${new Date(now.getTime() - NOBODY_FOR_MS)})
      -- Another instance has it, and reopens it.
      for update of n skip locked)
    update notices n set state = 'pending', reason = null, changed_at = ${now}
    from again where n.id = again.id
    returning n.id, n.channel`.execute(transaction)
  return rows
}

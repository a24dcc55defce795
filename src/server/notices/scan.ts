// A look at all credentials for those whose end has come near enough to tell of. Any number of instances may look at once:
// what is to be told once is one row, made together with its job.

import { uuidV7 } from '../../protocol/uuid.ts'
import type { Database } from '../db/database.ts'
import { dayOf, findThreshold } from './due.ts'
import { openNotices } from './due-notice-store.ts'
import { type EndingCredential, readEnding } from './due-store.ts'
import { type Channel, type NewNotice, purgeNotices } from './notice-store.ts'
import type { EnqueueNotices } from './queue.ts'

const DAY_MS = 86_400_000

export interface Receiver {
  readonly channel: Channel
  readonly receiver: string
}

export interface ScanOptions {
  readonly db: Database
  readonly enqueue: EnqueueNotices
  /** The nearest first. */
  readonly days: readonly number[]
  readonly keepDays: number
  readonly receivers: readonly Receiver[]
  readonly clock: () => Date
}

/** Builds what makes the notices that are due, and removes those that are kept no longer. */
export function createScan(options: ScanOptions): (signal: AbortSignal) => Promise<void> {
  const { db, enqueue, days, keepDays, clock } = options
  return async (signal) => {
    const now = clock()
    const until = new Date(now.getTime() + Math.max(...days) * DAY_MS)
    await db.transaction().execute(async (transaction) => {
      for await (const page of readEnding(transaction, { now, until })) {
        const due = page.flatMap((credential) => describeDue(credential, options, now))
        if (due.length > 0) await enqueue(transaction, await openNotices(transaction, due, now))
        if (signal.aborted) return
      }
    })
    await purgeNotices(db, dayOf(new Date(now.getTime() - keepDays * DAY_MS)), signal)
  }
}

function describeDue(credential: EndingCredential, { days, receivers }: ScanOptions, now: Date): NewNotice[] {
  const threshold = findThreshold(credential, days, now)
  if (threshold === null) return []
  const { id: credentialId, organizationId, at } = credential
  const told = { credentialId, organizationId, days: threshold, endsOn: dayOf(at) }
  return receivers.map((receiver) => ({ id: uuidV7(now), ...told, ...receiver }))
}

// A change and its audit records, in one transaction: neither exists without the other.

import type { Database, Queryable } from '../db/database.ts'
import type { Transaction as DatabaseTransaction } from '../db/transaction.ts'
import type { AuditEvent, ChangeEventType } from './event.ts'
import { appendAuditEvents } from './store.ts'

/** What functions that only read take: the database, or a transaction on it. */
export type Reader = Queryable

/** The transaction of a change: what functions take that write, lock, or rely on what is locked. */
export type Transaction = DatabaseTransaction

/** Who changes something, when and from where. */
export interface Origin {
  /** Subject of the caller; null when nobody in particular called. */
  readonly actor: string | null
  readonly at: Date
  readonly ip: string
  readonly userAgent: string | undefined
  readonly requestId: string
}

type Told = 'organizationId' | 'subject' | 'credentialId' | 'tokenId' | 'target' | 'reason' | 'detail'

/** What a change says about itself; who, when and from where is known already. */
export interface ChangeEvent extends Pick<AuditEvent, Told> {
  readonly type: ChangeEventType
}

export interface Change {
  readonly transaction: Transaction
  /** Records what was done; written when the work is through. */
  readonly record: (event: ChangeEvent) => void
}

/** Runs `work` in a transaction, and writes what it recorded as its last step. What `work` throws undoes everything. */
export type MakeChange = <T>(origin: Origin, work: (change: Change) => Promise<T>) => Promise<T>

export function createMakeChange(db: Database): MakeChange {
  return (origin, work) =>
    db.transaction().execute(async (transaction) => {
      const events: AuditEvent[] = []
      const { at, actor, ip, userAgent, requestId } = origin
      const record = (event: ChangeEvent): void => {
        events.push({ ...event, occurredAt: at, actor: actor ?? undefined, ip, userAgent, requestId })
      }
      const result = await work({ transaction, record })
      await appendAuditEvents(transaction, events)
      return result
    })
}

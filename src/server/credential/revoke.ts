// Revoking a credential: at once, for good, and with its audit record in the same transaction.

import type { Database } from '../db/database.ts'
import type { RecordChange } from './issue.ts'
import { findOwned, markRevoked } from './store.ts'

export interface Revocation {
  readonly id: string
  /** Only a credential of this owner is revoked; to everyone else it does not exist. */
  readonly ownerId: string
  /** Subject of whoever revokes. */
  readonly by: string
}

/** Revokes a credential of `ownerId`; false when there is none. Revoking twice changes and records nothing more. */
export async function revokeCredential(
  db: Database,
  { id, ownerId, by }: Revocation,
  now: Date,
  record: RecordChange,
): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    if (!(await findOwned(transaction, id, ownerId))) return false
    if (await markRevoked(transaction, id, by, now)) await record(transaction, id)
    return true
  })
}

// Revoking a credential: at once, for good, and with its audit record in the same transaction.

import type { Database } from '../db/database.ts'
import type { RecordChange } from './issue.ts'
import { isOwned, markRevoked } from './store.ts'

export interface Revocation {
  readonly id: string
  /** Only a credential of this owner and of this organization is revoked; to everyone else it does not exist. */
  readonly ownerId: string
  readonly organizationId: string
  /** Subject of whoever revokes. */
  readonly by: string
}

/** Revokes a credential; false when there is none like this. Revoking twice changes and records nothing more. */
export async function revokeCredential(
  db: Database,
  { id, ownerId, organizationId, by }: Revocation,
  now: Date,
  record: RecordChange,
): Promise<boolean> {
  return db.transaction().execute(async (transaction) => {
    if (!(await isOwned(transaction, id, ownerId, organizationId))) return false
    if (await markRevoked(transaction, id, by, now)) await record(transaction, id)
    return true
  })
}

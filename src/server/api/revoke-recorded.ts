// Revoking whatever is selected, each with a record of its own in the same transaction.

import {
  type RevokedCredential,
  revokeSelected,
  type Selection,
} from '../credential/bulk-revocation-store.ts'
import { subjectOf } from '../credential/standing.ts'
import type { Revocation } from '../credential/store.ts'
import type { Change, ChangeEvent } from '../ledger/change.ts'

export interface RecordedRevocation extends Revocation {
  readonly reason: string
  readonly detail?: NonNullable<ChangeEvent['detail']>
}

/** Revokes up to `limit` of the credentials selected, oldest first; gives and records those it revoked. */
export async function revokeRecorded(
  { transaction, record }: Change,
  selection: Selection,
  { detail, ...revocation }: RecordedRevocation,
  limit: number,
): Promise<RevokedCredential[]> {
  const revoked = await revokeSelected(transaction, selection, revocation, limit)
  for (const { id, organizationId, ownerId } of revoked)
    record({
      type: 'credential.revoked',
      reason: revocation.reason,
      organizationId,
      subject: subjectOf({ owner: ownerId === null ? null : { id: ownerId }, credential: { id } }),
      credentialId: id,
      ...(detail ? { detail } : {}),
    })
  return revoked
}

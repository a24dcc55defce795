// The audit record of a change to a credential, written in the transaction that makes the change.

import type { Context } from 'koa'
import type { RecordChange } from '../credential/issue.ts'
import type { AuditEvent } from '../ledger/event.ts'
import { appendAuditEvents } from '../ledger/store.ts'
import type { Caller } from './caller.ts'

export interface CredentialChange {
  readonly type: Extract<AuditEvent['type'], `credential.${string}`>
  readonly occurredAt: Date
  readonly ownerId: string
  readonly organizationId: string
}

/** What a store calls with the id of the credential that `caller` changes. */
export function recordCredentialChange(
  ctx: Context,
  caller: Caller,
  { type, occurredAt, ownerId, organizationId }: CredentialChange,
): RecordChange {
  return (transaction, credentialId) =>
    appendAuditEvents(transaction, [
      {
        type,
        occurredAt,
        organizationId,
        subject: ownerId,
        actor: caller.subject,
        credentialId,
        ip: ctx.ip,
        requestId: String(ctx.state['requestId']),
      },
    ])
}

// A client that is about to be changed, and how the audit trail names it.

import { lockClient, type StoredClient } from '../directory/client-store.ts'
import { Problem } from '../http/problem.ts'
import type { Transaction } from '../ledger/change.ts'
import { versionOfClient, viewClient } from './client-view.ts'
import { requireVersion } from './version.ts'

export const CHANGING_CLIENTS = 'Changing clients'

export const targetOfClient = (client: { readonly clientId: string }): string => `client:${client.clientId}`

interface HoldCall {
  readonly params: { readonly client_id: string }
  readonly ifMatch: string | null
  readonly now: Date
}

/** The client, locked, in the version the caller means, unless it stays as it is. */
export async function holdClient(
  transaction: Transaction,
  { params, ifMatch, now }: HoldCall,
): Promise<StoredClient> {
  const client = await lockClient(transaction, params.client_id)
  if (!client) throw new Problem('not_found')
  if (client.builtIn) throw new Problem('built_in')
  requireVersion(ifMatch, versionOfClient(viewClient(client, now)))
  return client
}

// A page of credentials, whichever list they stand in.

import { listCredentials } from '../credential/find.ts'
import type { CredentialFilter } from '../credential/list-store.ts'
import type { Standing } from '../credential/standing.ts'
import type { Reader } from '../ledger/change.ts'
import { credentialView, viewCredential } from './credential-view.ts'
import { decodeCursor, pageOf, toPage } from './page.ts'
import { credentialId } from './schema.ts'

interface PageCall {
  readonly query: { readonly limit: number; readonly cursor?: string | undefined }
  readonly now: Date
}

/** What every list of credentials answers. */
export const credentialPage = {
  status: 200,
  description: 'A page of credentials',
  schema: pageOf(credentialView),
} as const

/** The page of what `filter` lets through, oldest first. */
export async function listCredentialPage(db: Reader, filter: CredentialFilter, call: PageCall) {
  const { limit, cursor } = call.query
  return toCredentialPage(
    await listCredentials(db, filter, limit + 1, decodeCursor(cursor, credentialId)),
    call,
  )
}

/** The page that begins with these rows. */
export const toCredentialPage = (rows: readonly Standing[], { query, now }: PageCall) =>
  toPage(
    rows,
    query.limit,
    (row) => row.credential,
    (row) => viewCredential(row, now),
  )

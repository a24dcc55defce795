// Pages of `credentials`, by id.

import { sql } from 'kysely'
import type { CredentialKind } from '../../protocol/credential.ts'
import type { Queryable } from '../db/database.ts'

/** Where a page of a list starts: after this row of the order (created_at, id). */
export interface Cursor {
  readonly createdAt: Date
  readonly id: string
}

export interface CredentialFilter {
  readonly organizationId: string
  readonly ownerId?: string | undefined
  readonly kind?: CredentialKind | undefined
}

/** The query of `listCredentialIds`. */
export const selectCredentialIds = (
  db: Queryable,
  { organizationId, ownerId, kind }: CredentialFilter,
  limit: number,
  cursor: Cursor | null,
) =>
  db
    .selectFrom('credentials')
    .select('id')
    .where('organization_id', '=', organizationId)
    .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId ?? null))
    // Written out: the index of API keys is for who asks for them, not for a kind to be named later.
    .$if(kind !== undefined, (query) => query.where('kind', '=', sql.lit(kind ?? 'personal')))
    .$if(cursor !== null, (query) =>
      query.where(sql<boolean>`(created_at, id) > (${cursor?.createdAt}, ${cursor?.id})`),
    )
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)

/** Ids of credentials, oldest first, after `cursor`. */
export async function listCredentialIds(
  db: Queryable,
  filter: CredentialFilter,
  limit: number,
  cursor: Cursor | null,
): Promise<string[]> {
  const rows = await selectCredentialIds(db, filter, limit, cursor).execute()
  return rows.map(({ id }) => id)
}

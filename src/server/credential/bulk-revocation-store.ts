// Revoking many credentials in one statement. Rows are locked in the order (created_at, id), so that revocations that
// meet wait for one another and never in a circle; noting a use waits for none of them (ledger/store.ts).

import { type ExpressionBuilder, sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import type { Tables } from '../db/tables.ts'
import type { Cursor } from './list-store.ts'
import type { Revocation } from './store.ts'

/** Which of the credentials that are not revoked; every member that is given must hold. */
export interface Selection {
  readonly organizationId?: string | undefined
  readonly ownerId?: string | undefined
  readonly createdBefore?: Date
  readonly createdSince?: Date | undefined
  readonly ids?: readonly string[]
  /** Only successors of these. */
  readonly replaces?: readonly string[]
  /** All but this one. */
  readonly except?: string
  /** Only those that follow in the order (created_at, id). */
  readonly after?: Cursor | null
}

export interface RevokedCredential {
  readonly id: string
  readonly organizationId: string
  /** Null for an API key. */
  readonly ownerId: string | null
  readonly createdAt: Date
}

/** Revokes up to `limit` credentials, the oldest of those selected; gives them in that order. */
export async function revokeSelected(
  db: Queryable,
  selection: Selection,
  { by, reason, at }: Revocation,
  limit: number,
): Promise<RevokedCredential[]> {
  const rows = await db
    .with('selected', (query) =>
      query
        .selectFrom('credentials')
        .select('id')
        .where('revoked_at', 'is', null)
        .where((where) => where.and(listConditions(where, selection)))
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit)
        .forNoKeyUpdate(),
    )
    .updateTable('credentials as c')
    .from('selected as s')
    .set({ revoked_at: at, revoked_by: by, revoked_reason: reason })
    .whereRef('c.id', '=', 's.id')
    .returning([
      'c.id',
      'c.organization_id as organizationId',
      'c.owner_id as ownerId',
      'c.created_at as createdAt',
    ])
    .execute()
  return rows.sort(byAge)
}

function listConditions(
  where: ExpressionBuilder<Tables, 'credentials'>,
  { organizationId, ownerId, createdBefore, createdSince, ids, replaces, except, after }: Selection,
) {
  return [
    organizationId === undefined ? [] : where('organization_id', '=', organizationId),
    ownerId === undefined ? [] : where('owner_id', '=', ownerId),
    createdBefore ? where('created_at', '<', createdBefore) : [],
    createdSince ? where('created_at', '>=', createdSince) : [],
    ids ? sql<boolean>`id = any(${ids})` : [],
    replaces ? sql<boolean>`replaces = any(${replaces})` : [],
    except === undefined ? [] : where('id', '<>', except),
    after ? sql<boolean>`(created_at, id) > (${after.createdAt}, ${after.id})` : [],
  ].flat()
}

const byAge = (a: RevokedCredential, b: RevokedCredential): number =>
  a.createdAt.getTime() - b.createdAt.getTime() || (a.id < b.id ? -1 : 1)

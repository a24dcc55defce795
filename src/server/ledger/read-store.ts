// Reading `audit_events`: newest first, page by page. Whatever is asked for, an index or a span of time leads to it.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import { FAILURE_EVENT_TYPES, type Outcome } from './event.ts'
import { type AuditFilter, type AuditPosition, type Conditions, listParts } from './filter-store.ts'

export type AuditRecord = Awaited<ReturnType<typeof listAuditEvents>>[number]

/** Records, newest first, before `position`. */
export async function listAuditEvents(
  db: Queryable,
  filter: AuditFilter,
  limit: number,
  position: AuditPosition | null,
) {
  const rows = await selectAuditEvents(db, filter, limit, position).execute()
  return rows.map((row) => ({ ...row, outcome: outcomeOf(row.type) }))
}

/** The statement of a page: the newest of what each part has newest. */
export function selectAuditEvents(
  db: Queryable,
  filter: AuditFilter,
  limit: number,
  position: AuditPosition | null,
) {
  const selectPart = (conditions: Conditions) => {
    const newest = db
      .selectFrom('audit_events')
      .selectAll()
      .where(({ and }) => and([...conditions]))
      .orderBy('occurred_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
    return db.selectFrom(newest.as('part')).selectAll()
  }
  const [first, ...others] = listParts(filter, position)
  const newest = others.reduce((all, part) => all.unionAll(selectPart(part)), selectPart(first))
  return db
    .selectFrom(newest.as('events'))
    .select([
      'id',
      'occurred_at as occurredAt',
      'type',
      'reason',
      // Not a join: it is looked up for the rows of the page alone.
      sql<string | null>`(select slug from organizations o where o.id = organization_id)`.as('organization'),
      'subject',
      'actor',
      'credential_id as credentialId',
      'client_id as clientId',
      'target',
      'audiences',
      'scopes',
      'token_id as tokenId',
      sql<string | null>`host(ip)`.as('ip'),
      'user_agent as userAgent',
      'request_id as requestId',
      'detail',
    ])
    .orderBy('occurred_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
}

const outcomeOf = (type: string): Outcome =>
  FAILURE_EVENT_TYPES.some((failure) => failure === type) ? 'failure' : 'success'

/** The id of an organization, also of one that was deleted: its records stay. */
export async function findRecordedOrganization(db: Queryable, slug: string): Promise<string | undefined> {
  const row = await db.selectFrom('organizations').select('id').where('slug', '=', slug).executeTakeFirst()
  return row?.id
}

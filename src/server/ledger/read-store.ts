// Reading `audit_events`: newest first, page by page. Whatever is asked for, an index or a span of time leads to it.

import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import type { Tables } from '../db/tables.ts'
import { FAILURE_EVENT_TYPES, type Outcome } from './event.ts'

/** Absent members ask for nothing. */
export interface AuditFilter {
  readonly organizationId?: string | undefined
  readonly type?: string | undefined
  readonly outcome?: Outcome | undefined
  readonly subject?: string | undefined
  readonly actor?: string | undefined
  readonly credentialId?: string | undefined
  readonly clientId?: string | undefined
  readonly target?: string | undefined
  /** UUIDv7. */
  readonly requestId?: string | undefined
  readonly since?: Date | undefined
  /** Exclusive. */
  readonly until?: Date | undefined
}

/** Where a page starts: below this record of the order (occurred_at, id). */
export interface AuditPosition {
  readonly createdAt: Date
  readonly id: string
}

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

/** The statement of a page. */
export const selectAuditEvents = (
  db: Queryable,
  filter: AuditFilter,
  limit: number,
  position: AuditPosition | null,
) =>
  db
    .selectFrom('audit_events')
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
    .where(({ and }) => and([...listConditions(filter), ...listSpans(filter, position)]))
    .orderBy('occurred_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)

const outcomeOf = (type: string): Outcome =>
  FAILURE_EVENT_TYPES.some((failure) => failure === type) ? 'failure' : 'success'

function listConditions(filter: AuditFilter): Expression<SqlBool>[] {
  const where = expressionBuilder<Tables, 'audit_events'>()
  const wanted = {
    organization_id: filter.organizationId,
    type: filter.type,
    subject: filter.subject,
    actor: filter.actor,
    credential_id: filter.credentialId,
    client_id: filter.clientId,
    target: filter.target,
    request_id: filter.requestId,
  }
  const columns = Object.keys(wanted) as (keyof typeof wanted)[]
  const equal = columns.flatMap((column) => {
    const value = wanted[column]
    return value === undefined ? [] : [where(column, '=', value)]
  })
  if (filter.outcome === undefined) return equal
  return [...equal, where('type', filter.outcome === 'failure' ? 'in' : 'not in', FAILURE_EVENT_TYPES)]
}

/** What bounds the time, so that other partitions are not looked at. */
function listSpans(
  { since, until, requestId }: AuditFilter,
  position: AuditPosition | null,
): Expression<SqlBool>[] {
  const where = expressionBuilder<Tables, 'audit_events'>()
  const spans: Expression<SqlBool>[] = []
  if (since) spans.push(where('occurred_at', '>=', since))
  if (until) spans.push(where('occurred_at', '<', until))
  if (requestId !== undefined) {
    const [from, to] = spanOfRequest(requestId)
    spans.push(where('occurred_at', '>=', from), where('occurred_at', '<=', to))
  }
  if (position) {
    const { createdAt, id } = position
    spans.push(where('occurred_at', '<=', createdAt))
    spans.push(sql<SqlBool>`(occurred_at, id) < (${createdAt}, ${id}::uuid)`)
  }
  return spans
}

const CLOCK_STEP_MS = 5_000
const LONGEST_REQUEST_MS = 300_000

/** When the records of a request were made: the id of a request says when it came (RFC 9562 section 5.7). */
function spanOfRequest(requestId: string): [from: Date, to: Date] {
  const cameAt = Number.parseInt(requestId.replaceAll('-', '').slice(0, 12), 16)
  return [new Date(cameAt - CLOCK_STEP_MS), new Date(cameAt + LONGEST_REQUEST_MS)]
}

/** The id of an organization, also of one that was deleted: its records stay. */
export async function findRecordedOrganization(db: Queryable, slug: string): Promise<string | undefined> {
  const row = await db.selectFrom('organizations').select('id').where('slug', '=', slug).executeTakeFirst()
  return row?.id
}

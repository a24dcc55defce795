// The rows of `audit_events`, their monthly partitions, and the last-used columns of credentials.

import { isIP } from 'node:net'
import { sql } from 'kysely'
import { redactCredentials } from '../../protocol/credential.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { Database, Queryable } from '../db/database.ts'
import { lockUntilEnd } from '../db/lock.ts'
import { prepareStatement } from '../db/prepared.ts'
import { leftOfUse } from '../db/recent-use.ts'
import type { AuditEvent } from './event.ts'

const MAX_TEXT = 500

/** Text that came from outside: bounded, without credentials and what Postgres cannot store. */
const clean = (text: string): string =>
  redactCredentials(text.replaceAll('\0', '')).slice(0, MAX_TEXT).toWellFormed()

const cleanOrNull = (text: string | undefined): string | null => (text === undefined ? null : clean(text))

/** A client that went before it was looked at has no address; its record is written all the same. */
const toInet = (ip: string | undefined): string | null => (ip !== undefined && isIP(ip) ? ip : null)

/** However many records, one value: `$1` is their rows as a JSON array. */
const INSERT_EVENTS = `
  insert into audit_events (id, occurred_at, type, reason, organization_id, subject, credential_id, client_id, actor, target,
    audiences, scopes, token_id, ip, user_agent, request_id, detail)
  select id, occurred_at, type, reason, organization_id, subject, credential_id, client_id, actor, target,
    audiences, scopes, token_id, ip, user_agent, request_id, detail
  from json_populate_recordset(null::audit_events, $1::json)`

const insertEvents = prepareStatement('append', INSERT_EVENTS)

/** Appends records, all or none. */
export async function appendAuditEvents(db: Queryable, events: readonly AuditEvent[]): Promise<void> {
  if (events.length > 0) await insertEvents(db, [toRows(events)])
}

const toRows = (events: readonly AuditEvent[]): string => JSON.stringify(events.map(toRow))

const toRow = (event: AuditEvent) => ({
  id: uuidV7(event.occurredAt),
  occurred_at: event.occurredAt,
  type: event.type,
  reason: cleanOrNull(event.reason),
  organization_id: event.organizationId ?? null,
  subject: cleanOrNull(event.subject),
  credential_id: event.credentialId ?? null,
  client_id: cleanOrNull(event.clientId),
  actor: cleanOrNull(event.actor),
  target: cleanOrNull(event.target),
  audiences: event.audiences?.map(clean) ?? null,
  scopes: event.scopes?.map(clean) ?? null,
  token_id: event.tokenId ?? null,
  ip: toInet(event.ip),
  user_agent: cleanOrNull(event.userAgent),
  request_id: cleanOrNull(event.requestId),
  detail: event.detail ?? null,
})

export interface CredentialUse {
  readonly credentialId: string
  /** What was noted before, as far as is known. */
  readonly lastUsedAt: Date | null
  readonly usedAt: Date
  readonly ip: string
}

/** A row another instance is writing right now is skipped: it gets a fresh enough instant there, and nobody waits. */
const updateUsed = (ids: string, instants: string, addresses: string): string => `
  update credentials c set last_used_at = u.used_at, last_used_ip = u.ip, recent_use = 1 + ${leftOfUse('u.used_at')}
  from (
    select k.id, v.used_at, v.ip
    from unnest(${ids}::text[], ${instants}::timestamptz[], ${addresses}::inet[]) as v (id, used_at, ip)
    join credentials k on k.id = v.id
    where k.last_used_at is null or k.last_used_at < v.used_at - interval '1 minute'
    for no key update of k skip locked
  ) u
  where c.id = u.id`

const noteUses = prepareStatement('note_uses', updateUsed('$1', '$2', '$3'))
const insertEventsAndNoteUses = prepareStatement(
  'append_and_note_uses',
  `with used as (${updateUsed('$2', '$3', '$4')}) ${INSERT_EVENTS}`,
)

const MINUTE_MS = 60_000

/** Whether to note a use: at most one a minute, so that no row is hot. */
export const isWorthNoting = ({ lastUsedAt, usedAt }: CredentialUse): boolean =>
  lastUsedAt === null || usedAt.getTime() - lastUsedAt.getTime() > MINUTE_MS

/** Appends records and notes uses (at most one a minute of a credential), all or nothing, in one statement. */
export async function appendWithUses(
  db: Queryable,
  events: readonly AuditEvent[],
  uses: readonly CredentialUse[],
): Promise<void> {
  if (uses.length === 0) return appendAuditEvents(db, events)
  const latest = new Map(uses.map((use) => [use.credentialId, use]))
  const ids = [...latest.keys()]
  const instants = [...latest.values()].map(({ usedAt }) => usedAt)
  const addresses = [...latest.values()].map(({ ip }) => toInet(ip))
  if (events.length === 0) await noteUses(db, [ids, instants, addresses])
  else await insertEventsAndNoteUses(db, [toRows(events), ids, instants, addresses])
}

const MONTHS_AHEAD = 3

const monthStart = (instant: Date, months: number): string =>
  new Date(Date.UTC(instant.getUTCFullYear(), instant.getUTCMonth() + months, 1)).toISOString()

/**
 * Makes the partitions of `instant`'s month and of those ahead. Never on the path of a request: the default
 * partition takes what has none. Fails soon when a long reader is in the way, having made those it could.
 */
export async function ensureAuditPartitions(db: Database, instant: Date): Promise<void> {
  for (let month = 0; month <= MONTHS_AHEAD; month += 1) {
    const [from, to] = [monthStart(instant, month), monthStart(instant, month + 1)]
    await db.transaction().execute((transaction) => ensurePartition(transaction, from, to))
  }
}

async function ensurePartition(db: Queryable, from: string, to: string): Promise<void> {
  const name = `audit_events_${from.slice(0, 7).replace('-', '_')}`
  // Whoever waits for a lock makes others wait behind it: records that go to the default partition.
  await sql`set local lock_timeout = '1s'`.execute(db)
  // One instance at a time: two that create the same partition together would both fail.
  await lockUntilEnd(db, 'patmint.audit_partitions')
  if (await hasPlace(db, name, from, to)) return
  // `create table … partition of` would take ACCESS EXCLUSIVE on audit_events, and stop every record behind a
  // reader. Attaching leaves it open to reading and writing.
  await sql`create table ${sql.table(name)} (like audit_events including all)`.execute(db)
  await sql`alter table audit_events attach partition ${sql.table(name)}
    for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(db)
}

/** A month whose records already went to the default partition stays there: Postgres would refuse to split it. */
async function hasPlace(db: Queryable, name: string, from: string, to: string): Promise<boolean> {
  const { rows } = await sql<{ settled: boolean }>`
    select to_regclass(${name}) is not null or exists (
      select from audit_events_default where occurred_at >= ${from} and occurred_at < ${to}
    ) as settled`.execute(db)
  return rows[0]?.settled === true
}

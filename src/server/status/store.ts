// Which credentials of a list do not work, and why not: for good or for now. The judgement is that of
// `findProblem` (credential/standing.ts), turned around: from each cause to the credentials it stops, so that those
// that work are not read. Only policy rules are held against every credential, and only where there are any.

import { type RawBuilder, sql } from 'kysely'
import { ENTRIES_PER_LIST } from '../../protocol/status-list.ts'
import type { Database, Queryable } from '../db/database.ts'

/** Indexes within a list, in no order. One that stands in both is invalid. */
export interface StoppedCredentials {
  readonly invalid: readonly number[]
  readonly suspended: readonly number[]
}

/** How many lists there are; never none. */
export async function countStatusLists(db: Database): Promise<number> {
  const { rows } = await sql<{ last: number | null }>`
    select max(status_index) as last from credentials`.execute(db)
  return Math.floor((rows[0]?.last ?? 0) / ENTRIES_PER_LIST) + 1
}

/** The credentials of a list that do not work at `now`, as of one moment. */
export async function findStopped(db: Database, list: number, now: Date): Promise<StoppedCredentials> {
  const first = list * ENTRIES_PER_LIST
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (transaction) => {
      // Compiling a statement of so many parts takes ten times as long as running it.
      await sql`set local jit = off`.execute(transaction)
      const { rows } = await selectStopped(first, now).execute(transaction)
      const [{ invalid, suspended, hasRules } = NOTHING] = rows
      const blocked = hasRules ? await findBlocked(transaction, first, now) : []
      return { invalid: readIndexes(invalid), suspended: [...readIndexes(suspended), ...blocked] }
    })
}

interface StoppedRow {
  readonly invalid: Buffer | null
  readonly suspended: Buffer | null
  readonly hasRules: boolean
}

const NOTHING: StoppedRow = { invalid: null, suspended: null, hasRules: false }

/** By so many credentials at a time, so that no statement is long, however slow the database and large the list. */
const PASS = ENTRIES_PER_LIST / 8

/** What policy rules block, of those that nothing else has ended for good. */
async function findBlocked(transaction: Queryable, first: number, now: Date): Promise<number[]> {
  const blocked: number[] = []
  for (let from = first; from < first + ENTRIES_PER_LIST; from += PASS) {
    const { rows } = await selectBlocked(first, from, now).execute(transaction)
    for (const index of readIndexes(rows[0]?.blocked)) blocked.push(index)
  }
  return blocked
}

/** As many rows as this can be, each would cost more than all that led to it: they come as one value. */
const packIndexes = (first: number): RawBuilder<unknown> =>
  sql`string_agg(int4send((status_index - ${first}::bigint)::int4), ''::bytea)`

function readIndexes(packed: Buffer | null | undefined): number[] {
  const length = (packed?.length ?? 0) / 4
  return Array.from({ length }, (_, position) => packed?.readUInt32BE(position * 4) ?? 0)
}

const within = (from: number, size: number): RawBuilder<unknown> =>
  sql`status_index between ${from}::bigint and ${from + size - 1}::bigint`

const selectStopped = (first: number, now: Date): RawBuilder<StoppedRow> => sql<StoppedRow>`
  with invalid as (
    select status_index from credentials where revoked_at is not null
    union all
    select status_index from credentials where revoked_at is null and overlap_until <= ${now}
    union all
    select status_index from credentials where revoked_at is null and expires_at <= ${now}
    union all
    select c.status_index from organizations o
      join credentials c on c.organization_id = o.id
      where o.deleted_at is not null and c.revoked_at is null
    union all
    ${heldByUsers('deleted')}
  ),
  suspended as (
    ${heldByUsers('suspended')}
    union all
    select c.status_index from former_members f
      join credentials c on c.owner_id = f.user_id and c.organization_id = f.organization_id
      where c.revoked_at is null and not exists (
        select from memberships m where m.user_id = f.user_id and m.organization_id = f.organization_id)
    union all
    select c.status_index from memberships m
      join credentials c on c.owner_id = m.user_id and c.organization_id = m.organization_id
      where m.role_id is null and c.revoked_at is null
    union all
    select status_index from credentials where kind = 'organization' and role_id is null and revoked_at is null
  )
  select (select ${packIndexes(first)} from invalid where ${within(first, ENTRIES_PER_LIST)}) as invalid,
    (select ${packIndexes(first)} from suspended where ${within(first, ENTRIES_PER_LIST)}) as suspended,
    exists (select from expiry_policies where ${HAS_RULE}) as "hasRules"`

const selectBlocked = (first: number, from: number, now: Date): RawBuilder<{ blocked: Buffer | null }> => sql`
  with rules as materialized (
    select organization_id, exempt_roles, case applies_to when 'new' then applies_since else '-infinity' end as since,
      ${untilOf(now, 'max_lifetime_seconds')} as created_until,
      ${untilOf(now, 'idle_timeout_seconds')} as used_until
    from expiry_policies where ${HAS_RULE}
  ),
  blocked as (
    ${blockedBy(sql`e.organization_id is null`, from)}
    union all
    ${blockedBy(sql`e.organization_id = c.organization_id`, from)}
  )
  select ${packIndexes(first)} as blocked from blocked b
    where b.exempt_roles = '{}' or not exists (
      select from roles r where r.name = any(b.exempt_roles) and r.id = coalesce(b.role_id, (
        select m.role_id from memberships m
        where m.user_id = b.owner_id and m.organization_id = b.organization_id)))`

const HAS_RULE = sql`(max_lifetime_seconds is not null or idle_timeout_seconds is not null)`

const heldByUsers = (status: 'deleted' | 'suspended'): RawBuilder<unknown> => sql`
  select c.status_index from users u
    join credentials c on c.owner_id = u.id
    where u.status <> 'active' and u.status = ${sql.lit(status)} and c.revoked_at is null`

/** What a rule stops unless the role is exempt, which is looked up for these alone. */
const blockedBy = (scope: RawBuilder<unknown>, from: number): RawBuilder<unknown> => sql`
  select c.status_index, c.role_id, c.owner_id, c.organization_id, e.exempt_roles from rules e
    join credentials c on ${scope} and c.created_at >= e.since
      and (c.created_at <= e.created_until or coalesce(c.last_used_at, c.created_at) <= e.used_until)
    where c.revoked_at is null and c.${within(from, PASS)}`

/** A century is out of reach for a credential, and what is longer may be for an interval. */
const CENTURY_SECONDS = 3_155_760_000

/** Whatever happened by then is as long ago as this rule allows, or longer. */
const untilOf = (
  now: Date,
  limit: 'max_lifetime_seconds' | 'idle_timeout_seconds',
): RawBuilder<unknown> => sql`
  coalesce(${now}::timestamptz - least(${sql.ref(limit)}, ${sql.lit(CENTURY_SECONDS)}) * interval '1 second', '-infinity')`

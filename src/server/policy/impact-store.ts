// What a policy would stop that nobody made yet: how much, and whom it would hurt most.

import { type RawBuilder, sql } from 'kysely'
import type { CredentialKind } from '../../protocol/credential.ts'
import type { Queryable } from '../db/database.ts'
import { addSeconds } from './effective-expiry.ts'
import { HORIZON_SECONDS, isMuchUsed, MOST_USED_FIRST, type Proposal, selectHits } from './hit-store.ts'

const WEEK_SECONDS = 7 * 86_400
/** Nobody can be told, and act, in less: what stops by then is as good as stopped. */
const REACTION_SECONDS = 86_400

/** How many credentials would stop; who stops now is counted everywhere. */
export interface Impact {
  readonly now: number
  readonly within7Days: number
  readonly within30Days: number
  /** Of those that stop within a day, and by nothing in force now, the ones that were used in the last 30 days. */
  readonly inUse: number
}

const NOTHING: Impact = { now: 0, within7Days: 0, within30Days: 0, inUse: 0 }

export interface HitCredential {
  readonly id: string
  readonly kind: CredentialKind
  readonly name: string
  /** Its slug. */
  readonly organization: string
  readonly owner: { readonly id: string; readonly name: string; readonly email: string } | null
  readonly lastUsedAt: Date | null
  readonly stopsAt: Date
  readonly rule: 'max_lifetime' | 'idle_timeout'
}

/** How many credentials `proposal` would stop if it were in force from `now` on. */
export async function countImpact(db: Queryable, proposal: Proposal, now: Date): Promise<Impact> {
  const hits = selectHits(proposal, now)
  if (!hits) return NOTHING
  await avoidCompiling(db)
  const { rows } = await sql<Impact>`
    select count(*) filter (where stops_at <= ${now}) as now,
      count(*) filter (where stops_at <= ${addSeconds(now, WEEK_SECONDS)}) as "within7Days",
      count(*) as "within30Days",
      count(*) filter (
        where last_used_at >= ${addSeconds(now, -HORIZON_SECONDS)} and ${stopsTooSoon(now)}) as "inUse"
    from ${hits} h`.execute(db)
  return rows[0] ?? NOTHING
}

/** The same, with those that it would stop within 30 days, most used first, at most `limit`. */
export async function assessImpact(
  db: Queryable,
  proposal: Proposal,
  now: Date,
  limit: number,
): Promise<{ impact: Impact; hits: HitCredential[] }> {
  const impact = await countImpact(db, proposal, now)
  const length = Math.min(limit, impact.within30Days)
  return { impact, hits: length === 0 ? [] : await listHits(db, proposal, now, length) }
}

/** Whether it would stop the credential `id` within a day, which nothing in force now does. */
export async function stopsSoon(db: Queryable, proposal: Proposal, now: Date, id: string): Promise<boolean> {
  const hits = selectHits(proposal, now, [sql`c.id = ${id}`])
  if (!hits) return false
  const { rows } = await sql`select from ${hits} h where ${stopsTooSoon(now)}`.execute(db)
  return rows.length > 0
}

/** Of hits `h`. */
const stopsTooSoon = (now: Date): RawBuilder<unknown> =>
  sql`h.stops_at <= ${addSeconds(now, REACTION_SECONDS)} and h.is_new`

/** So many of the most used are looked at before all are. */
const LIKELY = 4000

/**
 * The most used of those that it would stop, of which there are at least `length`. Sorting all of them takes long; nearly
 * always they are among the most used of those that its rules concern at all.
 */
async function listHits(
  db: Queryable,
  proposal: Proposal,
  now: Date,
  length: number,
): Promise<HitCredential[]> {
  const likely = await listFirst(db, selectHits(proposal, now, [isMuchUsed(proposal, now, LIKELY)]), length)
  return likely.length === length ? likely : listFirst(db, selectHits(proposal, now), length)
}

const listFirst = async (
  db: Queryable,
  hits: RawBuilder<unknown> | null,
  length: number,
): Promise<HitCredential[]> =>
  hits ? describeHits(db, sql`select * from ${hits} h order by ${MOST_USED_FIRST} limit ${length}`) : []

/** Ids of all that `proposal` would stop within 30 days, most used first: 8 bytes each. */
export async function packHitIds(db: Queryable, proposal: Proposal, now: Date): Promise<Buffer> {
  const hits = selectHits(proposal, now)
  if (!hits) return Buffer.alloc(0)
  await avoidCompiling(db)
  // A million are sorted.
  await sql`set local work_mem = '64MB'`.execute(db)
  const { rows } = await sql<{ ids: Buffer | null }>`
    select string_agg(decode(h.id, 'hex'), ''::bytea order by ${MOST_USED_FIRST}) as ids from ${hits} h`.execute(
    db,
  )
  return rows[0]?.ids ?? Buffer.alloc(0)
}

/** Those of `ids` that `proposal` would still stop, most used first. */
export async function findHits(
  db: Queryable,
  proposal: Proposal,
  now: Date,
  ids: readonly string[],
): Promise<HitCredential[]> {
  const hits = selectHits(proposal, now, [sql`c.id = any(${ids}::text[])`])
  return hits ? describeHits(db, sql`select * from ${hits} h`) : []
}

async function describeHits(db: Queryable, hits: RawBuilder<unknown>): Promise<HitCredential[]> {
  const { rows } = await sql<HitCredential>`
    select h.id, c.kind, c.name, o.slug as organization, h.last_used_at as "lastUsedAt", h.stops_at as "stopsAt", h.rule,
      case when u.id is not null then json_build_object('id', u.id, 'name', u.name, 'email', u.email) end as owner
    from (${hits}) h
    join credentials c on c.id = h.id
    join organizations o on o.id = c.organization_id
    left join users u on u.id = c.owner_id
    order by ${MOST_USED_FIRST}`.execute(db)
  return rows
}

/** Compiling a statement of so many parts takes longer than running it. */
const avoidCompiling = async (transaction: Queryable): Promise<void> => {
  await sql`set local jit = off`.execute(transaction)
}

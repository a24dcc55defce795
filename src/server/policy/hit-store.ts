// The credentials that work now and that a policy nobody made yet would end, no later than what stays in force beside it
// does: the policy that it replaces does not. Only its own rules need to be held against every credential, as instants
// that are known beforehand; the rest is asked of those that they would end soon.

import { type RawBuilder, sql } from 'kysely'
import { RANK_OF_USE } from '../db/recent-use.ts'
import { addSeconds } from './effective-expiry.ts'
import { credentialsInUse, isUnexempt } from './end-store.ts'
import type { ExpiryPolicy } from './policy.ts'

/** How far ahead is looked. */
export const HORIZON_SECONDS = 30 * 86_400

export interface Proposal {
  /** Null: of the platform. */
  readonly organizationId: string | null
  readonly policy: ExpiryPolicy
}

/**
 * Every credential that it would stop within the horizon, of those for which all `conditions` hold, which may name
 * columns of `credentials c`; null when it has no rule that could. `is_new`: earlier than all that is in force now would.
 */
export function selectHits(
  proposal: Proposal,
  now: Date,
  conditions: readonly RawBuilder<unknown>[] = [],
): RawBuilder<unknown> | null {
  const { organizationId, policy } = proposal
  const { maxLifetimeSeconds: longest, idleTimeoutSeconds: idlest, exemptRoles } = policy
  if (longest === null && idlest === null) return null
  const mayStop = sql.join(
    [...listRules(proposal, addSeconds(now, HORIZON_SECONDS)), ...conditions],
    sql` and `,
  )
  const stopsAt = sql`least(${shift(sql`c.created_at`, longest)}, ${shift(sql`c.used_at`, idlest)})`
  const endsOtherwise =
    organizationId === null ? sql`c.ends_without_platform` : sql`c.ends_without_organization`
  return sql`(
    select c.id, c.last_used_at, h.stops_at, ${sql.raw(RANK_OF_USE)} as use_rank,
      h.stops_at <= ${now} or coalesce(c.ends_at, 'infinity') > h.stops_at as is_new,
      case h.stops_at when ${shift(sql`c.created_at`, longest)} then 'max_lifetime' else 'idle_timeout' end as rule
    from ${credentialsInUse(mayStop, exemptRoles)} c
    cross join lateral (select ${stopsAt} as stops_at) h
    where ${isUnexempt(sql`c.role_name`, sql`${exemptRoles}`)}
      and coalesce(c.ends_at, 'infinity') > ${now}
      and (h.stops_at <= ${now} or coalesce(${endsOtherwise}, 'infinity') >= h.stops_at))`
}

/** The order of hits `h`. */
export const MOST_USED_FIRST = sql`h.use_rank desc nulls last, h.id`

/** Whether a row of `credentials c` is one of the `count` most used that its rules concern, whatever else holds. */
export const isMuchUsed = (proposal: Proposal, now: Date, count: number): RawBuilder<unknown> => sql`
  c.id = any(array(
    select c.id from credentials c
    where c.revoked_at is null and ${sql.join(listRules(proposal, addSeconds(now, HORIZON_SECONDS)), sql` and `)}
    order by ${sql.raw(RANK_OF_USE)} desc nulls last, c.id limit ${count}))`

/** Which of `credentials c` its rules end by `until`, unless their role is exempt. */
function listRules({ organizationId, policy }: Proposal, until: Date): RawBuilder<unknown>[] {
  const { maxLifetimeSeconds: longest, idleTimeoutSeconds: idlest, appliesTo, appliesSince } = policy
  return [
    sql`(${startedBy(sql`c.created_at`, longest, until)}
      or ${startedBy(sql`coalesce(c.last_used_at, c.created_at)`, idlest, until)})`,
    ...(appliesTo === 'new' ? [sql`c.created_at >= ${appliesSince}`] : []),
    ...(organizationId === null ? [] : [sql`c.organization_id = ${organizationId}`]),
  ]
}

const shift = (start: RawBuilder<unknown>, seconds: number | null): RawBuilder<unknown> =>
  seconds === null ? sql`null` : sql`${start} + ${seconds}::float8 * interval '1 second'`

/** Null is "no rule": nothing is so old. */
const startedBy = (start: RawBuilder<unknown>, seconds: number | null, until: Date): RawBuilder<unknown> =>
  seconds === null ? sql`false` : sql`${start} <= ${addSeconds(until, -seconds)}`

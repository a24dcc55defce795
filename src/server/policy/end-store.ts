// When credentials end, by agreement or by policy, for all of them at once: as SQL, what `expiryOf` and `findProblem`
// (credential/standing.ts) say of one. What keeps credentials from working otherwise is turned around, as in
// status/store.ts: from each cause to whom it concerns, so that those that work cost little.

import { type RawBuilder, sql } from 'kysely'
import type { PolicyLevel } from './policy.ts'

export interface End {
  readonly id: string
  readonly organization_id: string
  /** Null for an API key. */
  readonly owner_id: string | null
  readonly ends_at: Date
  readonly cause: 'expires_at' | 'max_lifetime' | 'idle_timeout' | 'overlap_until'
  /** Whose policy it is; null for what was agreed. */
  readonly level: PolicyLevel | null
}

/** Of the credentials that work at `after`, those that end later than that and by `until`, under the policies there are. */
export const selectEnds = (after: Date, until: Date): RawBuilder<End> => sql<End>`
  select id, organization_id, owner_id, ends_at,
    case ends_at
      when expires_at then 'expires_at'
      when least(lifetime_of_platform, lifetime_of_organization) then 'max_lifetime'
      when least(idle_of_platform, idle_of_organization) then 'idle_timeout'
      else 'overlap_until' end as cause,
    case when ends_at = expires_at then null
      when ends_at = lifetime_of_platform then 'platform' when ends_at = lifetime_of_organization then 'organization'
      when ends_at = idle_of_platform then 'platform' when ends_at = idle_of_organization then 'organization' end as level
  from ${credentialsInUse(mayEndBy(until))} c
  where ends_at > ${after} and ends_at <= ${until}`

/**
 * Credentials that nothing but their end keeps from working, of those for which `condition` holds, which may name
 * columns of `credentials c` and is cheap: with `used_at`, from which their idle clock runs, with `role_name` where that
 * is one that some policy or `exemptRoles` exempts, with `ends_at`, and with what that would be without either level;
 * null for never.
 */
export const credentialsInUse = (
  condition: RawBuilder<unknown>,
  exemptRoles: readonly string[] = [],
): RawBuilder<unknown> => sql`(
  select c.id, c.organization_id, c.owner_id, c.created_at, c.expires_at, c.last_used_at, c.recent_use, x.used_at, x.role_name,
    e.lifetime_of_platform, e.idle_of_platform, e.lifetime_of_organization, e.idle_of_organization,
    least(c.expires_at, ${endUnder(ruleOfPlatform)}, ${endUnder(ruleOfOrganization)}, c.overlap_until) as ends_at,
    least(c.expires_at, ${endUnder(ruleOfOrganization)}, c.overlap_until) as ends_without_platform,
    least(c.expires_at, ${endUnder(ruleOfPlatform)}, c.overlap_until) as ends_without_organization
  from credentials c
  join organizations g on g.id = c.organization_id and g.deleted_at is null
  left join ${RULES} r on r.organization_id = c.organization_id
  left join ${exemptMembers(exemptRoles)} m on m.user_id = c.owner_id and m.organization_id = c.organization_id
  left join roles k on k.id = c.role_id
  cross join lateral (
    select coalesce(c.last_used_at, c.created_at) as used_at, coalesce(k.name, m.role_name) as role_name) x
  cross join lateral (
    select ${ifBound(ruleOfPlatform, lifetimeEnd)} as lifetime_of_platform,
      ${ifBound(ruleOfPlatform, idleEnd)} as idle_of_platform,
      ${ifBound(ruleOfOrganization, lifetimeEnd)} as lifetime_of_organization,
      ${ifBound(ruleOfOrganization, idleEnd)} as idle_of_organization) e
  where c.revoked_at is null and (c.owner_id is not null or c.role_id is not null) and (${condition})
    and not exists (
      select from ${BARRED_HOLDERS} b where b.user_id = c.owner_id and b.organization_id = c.organization_id))`

/** Whether a role of `credentialsInUse` is none of `exemptRoles`. */
export const isUnexempt = (
  roleName: RawBuilder<unknown>,
  exemptRoles: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`(${roleName} is null or ${roleName} <> all(${exemptRoles}::text[]))`

/** What by the tightest of all rules does not end by then is not looked at any further. */
const mayEndBy = (until: Date): RawBuilder<unknown> => sql`
  c.expires_at <= ${until} or c.overlap_until <= ${until}
  or c.created_at <= ${until}::timestamptz - (select min(max_lifetime) from ${RULES} r)
  or coalesce(c.last_used_at, c.created_at) <= ${until}::timestamptz - (select min(idle_timeout) from ${RULES} r)`

/** A century is out of reach for a credential, and what is longer may be for an interval. */
const CENTURY_SECONDS = 3_155_760_000

type Limit = 'max_lifetime' | 'idle_timeout'

const toInterval = (limit: Limit): RawBuilder<unknown> =>
  sql`least(${sql.ref(`${limit}_seconds`)}, ${sql.lit(CENTURY_SECONDS)}) * interval '1 second'`

const RULES = sql`(
  select organization_id, exempt_roles, case applies_to when 'new' then applies_since else '-infinity' end as since,
    ${toInterval('max_lifetime')} as max_lifetime, ${toInterval('idle_timeout')} as idle_timeout
  from expiry_policies where max_lifetime_seconds is not null or idle_timeout_seconds is not null)`

type ReadRule = (column: 'since' | 'exempt_roles' | Limit) => RawBuilder<unknown>

/** Read once per statement. */
const ruleOfPlatform: ReadRule = (column) =>
  sql`(select ${sql.ref(column)} from ${RULES} p where organization_id is null)`

const ruleOfOrganization: ReadRule = (column) => sql.ref(`r.${column}`)

type EndBy = (rule: ReadRule) => RawBuilder<unknown>

const lifetimeEnd: EndBy = (rule) => sql`c.created_at + ${rule('max_lifetime')}`
const idleEnd: EndBy = (rule) => sql`x.used_at + ${rule('idle_timeout')}`

const ifBound = (rule: ReadRule, end: EndBy): RawBuilder<unknown> => sql`
  case when c.created_at >= ${rule('since')} and ${isUnexempt(sql`x.role_name`, rule('exempt_roles'))} then ${end(rule)} end`

/** The whole of what a level says, in one look at whether it binds. */
const endUnder = (rule: ReadRule): RawBuilder<unknown> =>
  ifBound(rule, () => sql`least(${lifetimeEnd(rule)}, ${idleEnd(rule)})`)

/** Members whose role is one of those some policy exempts. */
const exemptMembers = (exemptRoles: readonly string[]): RawBuilder<unknown> => sql`(
  select m.user_id, m.organization_id, r.name as role_name from memberships m join roles r on r.id = m.role_id
  where r.name = any(${exemptRoles}::text[]) or r.name in (select unnest(exempt_roles) from expiry_policies))`

/** Whose credentials in an organization do not work, whatever their ends. */
const BARRED_HOLDERS = sql`(
  select user_id, organization_id from memberships where role_id is null
  union all
  select m.user_id, m.organization_id from users u join memberships m on m.user_id = u.id where u.status <> 'active'
  union all
  select f.user_id, f.organization_id from former_members f where not exists (
    select from memberships m where m.user_id = f.user_id and m.organization_id = f.organization_id))`

// Expiry policy as pure decisions. Two levels, platform and organization; the strictest wins field by field.
// Nothing here reads a clock or a row.

export type PolicyLevel = 'platform' | 'organization'

/** One level's policy. A `null` is "no rule". */
export interface ExpiryPolicy {
  readonly maxLifetimeSeconds: number | null
  readonly defaultLifetimeSeconds: number | null
  readonly idleTimeoutSeconds: number | null
  readonly accessTokenMaxTtlSeconds: number | null
  /** Null only in an organization: a policy of the platform says how many. */
  readonly maxActiveTokens: number | null
  /** `new` spares the credentials created before `appliesSince`. */
  readonly appliesTo: 'all' | 'new'
  readonly exemptRoles: readonly string[]
  readonly appliesSince: Date
}

/** What a policy says, apart from since when. */
export type PolicyTerms = Omit<ExpiryPolicy, 'appliesSince'>

/** Bounds of what a policy may say. */
export const LONGEST_LIFETIME_SECONDS = 100 * 365 * 86_400
/** A use is noted at most once a minute; a much shorter idle time-out would stop what is in constant use. */
export const SHORTEST_IDLE_SECONDS = 600
export const MOST_ACTIVE_TOKENS = 10_000

/** `appliesSince` of a policy that replaces `before`: whoever a "new" policy has bound stays bound by its successor. */
export function inheritStart(before: ExpiryPolicy | null, after: PolicyTerms, now: Date): ExpiryPolicy {
  const isContinued = before?.appliesTo === 'new' && after.appliesTo === 'new'
  return { ...after, appliesSince: isContinued ? before.appliesSince : now }
}

/** The policies over one organization; a level without a policy has no rules. */
export type Policies = Readonly<Record<PolicyLevel, ExpiryPolicy | null>>

/** What is left of the rules for a credential that is in constant use. */
export const withoutIdleTimeout = ({ platform, organization }: Policies): Policies => ({
  platform: platform && { ...platform, idleTimeoutSeconds: null },
  organization: organization && { ...organization, idleTimeoutSeconds: null },
})

/** A limit and the level that set it, so that a refusal can name both. */
export interface Limit {
  readonly seconds: number
  readonly level: PolicyLevel
}

type LimitField =
  | 'maxLifetimeSeconds'
  | 'defaultLifetimeSeconds'
  | 'idleTimeoutSeconds'
  | 'accessTokenMaxTtlSeconds'

const LEVELS: readonly PolicyLevel[] = ['platform', 'organization']
export const DEFAULT_MAX_ACTIVE_TOKENS = 10

/** The strictest value of one field over the levels that `binds`; `null` when none has a rule. */
export function strictestLimit(
  policies: Policies,
  field: LimitField,
  binds: (policy: ExpiryPolicy) => boolean = () => true,
): Limit | null {
  let strictest: Limit | null = null
  for (const level of LEVELS) {
    const policy = policies[level]
    const seconds = policy && binds(policy) ? policy[field] : null
    if (seconds !== null && (!strictest || seconds < strictest.seconds)) strictest = { seconds, level }
  }
  return strictest
}

/** How long a credential lives that is made without a wish: the least of all defaults and of the maxima that `binds`. */
export function strictestDefault(
  policies: Policies,
  binds?: (policy: ExpiryPolicy) => boolean,
): Limit | null {
  const maximum = strictestLimit(policies, 'maxLifetimeSeconds', binds)
  const standard = strictestLimit(policies, 'defaultLifetimeSeconds')
  if (!maximum || !standard) return standard ?? maximum
  return standard.seconds <= maximum.seconds ? standard : maximum
}

/** Whether a default is longer than the maximum beside it. */
export const isContradictory = ({ maxLifetimeSeconds, defaultLifetimeSeconds }: PolicyTerms): boolean =>
  maxLifetimeSeconds !== null &&
  defaultLifetimeSeconds !== null &&
  defaultLifetimeSeconds > maxLifetimeSeconds

/** How many active credentials one owner may hold, and the level that says so; null: neither. */
interface CountLimit {
  readonly count: number
  readonly level: PolicyLevel | null
}

/** In an organization, which can only have fewer than the platform has, be it by its policy or without one. */
export function strictestCount({ platform, organization }: Policies): CountLimit {
  const said = platform?.maxActiveTokens ?? null
  const ofPlatform: CountLimit =
    said === null ? { count: DEFAULT_MAX_ACTIVE_TOKENS, level: null } : { count: said, level: 'platform' }
  const own = organization?.maxActiveTokens ?? null
  return own !== null && own < ofPlatform.count ? { count: own, level: 'organization' } : ofPlatform
}

export const maxActiveTokens = (policies: Policies): number => strictestCount(policies).count

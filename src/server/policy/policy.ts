// Expiry policy as pure decisions. Two levels, platform and organization; the strictest wins field by field.
// Nothing here reads a clock or a row.

export type PolicyLevel = 'platform' | 'organization'

/** One level's policy. A `null` is "no rule". */
export interface ExpiryPolicy {
  readonly maxLifetimeSeconds: number | null
  readonly defaultLifetimeSeconds: number | null
  readonly idleTimeoutSeconds: number | null
  readonly accessTokenMaxTtlSeconds: number | null
  readonly maxActiveTokens: number
  /** `new` spares the credentials created before `appliesSince`. */
  readonly appliesTo: 'all' | 'new'
  readonly exemptRoles: readonly string[]
  readonly appliesSince: Date
}

/** `appliesSince` of a policy that replaces `before`: whoever a "new" policy has bound stays bound by its successor. */
export function inheritStart(
  before: ExpiryPolicy | null,
  after: Omit<ExpiryPolicy, 'appliesSince'>,
  now: Date,
): ExpiryPolicy {
  const isContinued = before?.appliesTo === 'new' && after.appliesTo === 'new'
  return { ...after, appliesSince: isContinued ? before.appliesSince : now }
}

/** The policies over one organization; a level without a policy has no rules. */
export type Policies = Readonly<Record<PolicyLevel, ExpiryPolicy | null>>

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

/** How many active credentials one owner may hold in the organization. */
export function maxActiveTokens(policies: Policies): number {
  const limits = LEVELS.flatMap((level) => policies[level]?.maxActiveTokens ?? [])
  return limits.length ? Math.min(...limits) : DEFAULT_MAX_ACTIVE_TOKENS
}

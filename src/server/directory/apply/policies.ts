// The `policies` section. A declared policy is the whole policy: what it leaves out is "no rule".

import { isDeepStrictEqual } from 'node:util'
import { formatDuration } from '../../../protocol/duration.ts'
import { countImpact } from '../../policy/impact-store.ts'
import {
  DEFAULT_MAX_ACTIVE_TOKENS,
  type ExpiryPolicy,
  inheritStart,
  isContradictory,
  type PolicyTerms,
} from '../../policy/policy.ts'
import { findPolicies, lockPolicies } from '../../policy/store.ts'
import { makeVersion } from '../../policy/version-store.ts'
import { requireOrganization } from './organizations.ts'
import type { ApplyRun } from './run.ts'
import { type Duration, type PolicyDeclaration, toSeconds } from './schema.ts'

/** The file's name of each rule. */
const KEYS = {
  maxLifetimeSeconds: 'max_lifetime',
  defaultLifetimeSeconds: 'default_lifetime',
  idleTimeoutSeconds: 'idle_timeout',
  accessTokenMaxTtlSeconds: 'access_token_max_ttl',
  maxActiveTokens: 'max_active_tokens',
  appliesTo: 'applies_to',
  exemptRoles: 'exempt_roles',
} as const satisfies Record<keyof PolicyTerms, keyof PolicyDeclaration>

const secondsOrNull = (value: Duration | null): number | null => (value === null ? null : toSeconds(value))

/** Applies the policy of an organization, or of the platform for a null slug. */
export async function applyPolicy(
  run: ApplyRun,
  slug: string | null,
  declared: PolicyDeclaration,
  at: (...path: PropertyKey[]) => string,
): Promise<void> {
  const organizationId = slug === null ? null : await requireOrganization(run, slug, at())
  if (slug !== null && organizationId === null) return
  const after: PolicyTerms = {
    maxLifetimeSeconds: secondsOrNull(declared.max_lifetime),
    defaultLifetimeSeconds: secondsOrNull(declared.default_lifetime),
    idleTimeoutSeconds: secondsOrNull(declared.idle_timeout),
    accessTokenMaxTtlSeconds: secondsOrNull(declared.access_token_max_ttl),
    maxActiveTokens: declared.max_active_tokens,
    appliesTo: declared.applies_to,
    exemptRoles: declared.exempt_roles,
  }
  if (isContradictory(after)) {
    run.problems.push(`${at('default_lifetime')}: is longer than max_lifetime`)
    return
  }
  const level = slug === null ? 'platform' : 'organization'
  await lockPolicies(run.transaction)
  const before = (await findPolicies(run.transaction, organizationId))[level]
  const changes = describeChanges(
    before ?? { ...NO_RULES, maxActiveTokens: slug === null ? DEFAULT_MAX_ACTIVE_TOKENS : null },
    after,
  )
  if (before && changes.length === 0) return
  const stops = await replacePolicy(run, organizationId, before, inheritStart(before, after, run.now))
  const label = slug === null ? 'platform policy' : `policy of ${slug}`
  const terms = changes.length === 0 ? '' : ` (${changes.join(', ')})`
  run.changes.push(`${before ? 'updated' : 'created'} ${label}${terms}${stops}`)
}

const NO_RULES: Omit<PolicyTerms, 'maxActiveTokens'> = {
  maxLifetimeSeconds: null,
  defaultLifetimeSeconds: null,
  idleTimeoutSeconds: null,
  accessTokenMaxTtlSeconds: null,
  appliesTo: 'all',
  exemptRoles: [],
}

/** What differs, as the file names it: `max_lifetime: none → 90d`. A number without a unit shows what it was taken for. */
const describeChanges = (before: PolicyTerms, after: PolicyTerms): string[] =>
  (Object.keys(KEYS) as (keyof PolicyTerms)[])
    .filter((term) => !isDeepStrictEqual(before[term], after[term]))
    .map((term) => `${KEYS[term]}: ${describeTerm(term, before[term])} → ${describeTerm(term, after[term])}`)

function describeTerm(term: keyof PolicyTerms, value: PolicyTerms[keyof PolicyTerms]): string {
  if (typeof value === 'number' && term.endsWith('Seconds')) return formatDuration(value)
  const text = Array.isArray(value) ? value.join(' ') : String(value ?? '')
  return text === '' ? 'none' : text
}

/** Whoever writes a file has decided: nothing is to confirm. Gives what it stops, in words that follow others. */
async function replacePolicy(
  { transaction, now, policies }: ApplyRun,
  organizationId: string | null,
  before: ExpiryPolicy | null,
  policy: ExpiryPolicy,
): Promise<string> {
  const impact = await countImpact(transaction, { organizationId, policy }, now)
  const version = await makeVersion(transaction, organizationId, {
    policy,
    madeAt: now,
    madeBy: null,
    stopped: impact.now,
    stoppedInUse: impact.inUse,
  })
  policies.push({ organizationId, before, version })
  return impact.now === 0 ? '' : `; stops ${impact.now}, of them used in the last 30 days: ${impact.inUse}`
}

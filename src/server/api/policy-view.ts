// An expiry policy as JSON (contract section 4).

import { z } from 'zod'
import { slug } from '../directory/schema.ts'
import {
  DEFAULT_MAX_ACTIVE_TOKENS,
  type ExpiryPolicy,
  type Limit,
  type Policies,
  type PolicyLevel,
  type PolicyTerms,
  strictestCount,
  strictestDefault,
  strictestLimit,
} from '../policy/policy.ts'
import type { PolicyFields } from './policy-body.ts'
import { instant } from './schema.ts'

const levelView = z.enum(['platform', 'organization'])
const limitView = z.strictObject({
  value: z.int().nullable().describe('Null: no rule'),
  level: levelView.nullable().describe('Whose rule it is; null: nobody set one'),
})

const shown = {
  max_lifetime_seconds: z.int().nullable(),
  default_lifetime_seconds: z.int().nullable(),
  idle_timeout_seconds: z.int().nullable(),
  access_token_max_ttl_seconds: z.int().nullable(),
  max_active_tokens: z.int().nullable().describe('Null: no rule, in an organization'),
  applies_to: z.enum(['all', 'new']),
  exempt_roles: z.array(slug),
  applies_since: instant
    .nullable()
    .describe('What was made before is spared; null where `applies_to` is `all`'),
}

/** A policy as it is in force, or was. */
export const policyContentView = z.strictObject(shown).meta({ id: 'PolicyContent' })

export const policyView = z
  .strictObject({
    level: levelView,
    organization: slug.nullable().describe('Null: of the platform'),
    version: z.int().min(0).describe('The last of its history; 0: nobody made one yet'),
    ...shown,
    effective: z
      .strictObject({
        max_lifetime_seconds: limitView,
        default_lifetime_seconds: limitView.describe(
          'How long a credential lives that is made without a wish: a default, or a maximum where that is less',
        ),
        idle_timeout_seconds: limitView,
        access_token_max_ttl_seconds: limitView,
        max_active_tokens: limitView,
      })
      .describe('What is in force here: of each field the strictest, and which level it is of'),
  })
  .meta({ id: 'Policy' })

export type PolicyView = z.output<typeof policyView>

/** What a level says where nobody made a policy. */
const noPolicy = (level: PolicyLevel): PolicyTerms => ({
  maxLifetimeSeconds: null,
  defaultLifetimeSeconds: null,
  idleTimeoutSeconds: null,
  accessTokenMaxTtlSeconds: null,
  maxActiveTokens: level === 'platform' ? DEFAULT_MAX_ACTIVE_TOKENS : null,
  appliesTo: 'all',
  exemptRoles: [],
})

const viewTerms = (terms: PolicyTerms): PolicyFields => ({
  max_lifetime_seconds: terms.maxLifetimeSeconds,
  default_lifetime_seconds: terms.defaultLifetimeSeconds,
  idle_timeout_seconds: terms.idleTimeoutSeconds,
  access_token_max_ttl_seconds: terms.accessTokenMaxTtlSeconds,
  max_active_tokens: terms.maxActiveTokens,
  applies_to: terms.appliesTo,
  exempt_roles: [...terms.exemptRoles],
})

export const viewContent = (policy: ExpiryPolicy): z.output<typeof policyContentView> => ({
  ...viewTerms(policy),
  applies_since: policy.appliesTo === 'new' ? policy.appliesSince.toISOString() : null,
})

/** What a level says; where nobody made a policy, one without rules. */
export const viewLevel = (policy: ExpiryPolicy | null, level: PolicyLevel) =>
  policy ? viewContent(policy) : { ...viewTerms(noPolicy(level)), applies_since: null }

/** A level's policy among those that are in force with it. */
export function viewPolicy(organization: string | null, policies: Policies, version: number): PolicyView {
  const level: PolicyLevel = organization === null ? 'platform' : 'organization'
  const viewLimit = (limit: Limit | null) => ({ value: limit?.seconds ?? null, level: limit?.level ?? null })
  const strictest = (field: Parameters<typeof strictestLimit>[1]) =>
    viewLimit(strictestLimit(policies, field))
  const { count, level: counted } = strictestCount(policies)
  return {
    level,
    organization,
    version,
    ...viewLevel(policies[level], level),
    effective: {
      max_lifetime_seconds: strictest('maxLifetimeSeconds'),
      default_lifetime_seconds: viewLimit(strictestDefault(policies)),
      idle_timeout_seconds: strictest('idleTimeoutSeconds'),
      access_token_max_ttl_seconds: strictest('accessTokenMaxTtlSeconds'),
      max_active_tokens: { value: count, level: counted },
    },
  }
}

/** Of its own history: what the other level says is no new version of this one. */
export const versionOfPolicy = ({ organization, version }: PolicyView) => ({ organization, version })

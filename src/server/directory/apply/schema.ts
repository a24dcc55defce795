// The shape of a declarative file. The JSON schema in `config/` is generated from it.

import { z } from 'zod'
import { LONGEST_TTL_SECONDS, SIGNING_ALGORITHMS } from '../../../protocol/access-token.ts'
import { parseDurationSeconds } from '../../../protocol/duration.ts'
import { TOKEN_EXCHANGE_GRANT } from '../../../protocol/urn.ts'
import {
  DEFAULT_MAX_ACTIVE_TOKENS,
  LONGEST_LIFETIME_SECONDS,
  MOST_ACTIVE_TOKENS,
  SHORTEST_IDLE_SECONDS,
} from '../../policy/policy.ts'
import { MAX_SECRET_OVERLAP_SECONDS } from '../client-secret-change.ts'
import {
  audience,
  clientId,
  concreteScope,
  displayName,
  email,
  exemptRoles,
  grantableScope,
  jwks,
  jwksUri,
  longText,
  slug,
} from '../schema.ts'

/** Whole seconds, or text such as `5m`, `12h`, `90d`. Kept as written; `toSeconds` reads it. */
function duration(longestSeconds: number, shortestSeconds = 1) {
  const least = shortestSeconds === 1 ? '' : `at least ${shortestSeconds} and `
  const error = `must be a duration such as 5m, 12h or 90d, of ${least}at most ${longestSeconds} seconds`
  const seconds = z.int({ error }).min(shortestSeconds).max(longestSeconds)
  const text = z.string({ error }).regex(/^\d{1,9}[smhd]$/)
  return z
    .union([seconds, text], { error })
    .refine((value) => toSeconds(value) >= shortestSeconds && toSeconds(value) <= longestSeconds, {
      error,
      when: ({ issues }) => issues.length === 0,
    })
}

export type Duration = number | string

/** Seconds in a duration of the file; NaN when it is not one. */
export const toSeconds = (value: Duration): number =>
  typeof value === 'number' ? value : (parseDurationSeconds(value) ?? Number.NaN)

const resourceServer = z.strictObject({
  audience,
  name: displayName,
  scopes: z.record(concreteScope, longText(500)).describe('Each scope with what it allows'),
  access_token_ttl: duration(LONGEST_TTL_SECONDS).default('5m'),
  signing_alg: z.enum(SIGNING_ALGORITHMS).default('ES256'),
  dpop_required: z.boolean().default(false).describe('Whether an exchange for it needs a DPoP proof'),
})

const organization = z.strictObject({ slug, name: displayName })

const role = z.strictObject({
  organization: slug,
  name: slug,
  permissions: z.array(z.strictObject({ audience, scopes: z.array(grantableScope).min(1) })),
})

const user = z.strictObject({
  email,
  name: displayName,
  status: z
    .enum(['active', 'suspended'])
    .describe('Absent: stays what it is; a new user is active')
    .optional(),
  memberships: z.array(z.strictObject({ organization: slug, role: slug })),
})

const clientBase = {
  client_id: clientId,
  name: displayName.optional(),
  audiences: z.array(audience).min(1).describe('Absent: every resource server').optional(),
  grant_types: z
    .array(z.enum([TOKEN_EXCHANGE_GRANT]))
    .max(1)
    .describe('What it may ask by; an empty list: nothing')
    .default([TOKEN_EXCHANGE_GRANT]),
}
const clientSecret = z
  .string()
  .min(8)
  .max(500)
  // RFC 6749 appendix A.2. Anything else could not be sent in an Authorization header.
  .regex(/^[\x20-\x7e]+$/, { error: 'must be printable ASCII' })
  .describe('Taken from the environment, never written in clear')

const client = z.discriminatedUnion('token_endpoint_auth_method', [
  z.strictObject({ ...clientBase, token_endpoint_auth_method: z.literal('none') }),
  z.strictObject({
    ...clientBase,
    token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post']),
    client_secret: clientSecret,
    client_secret_overlap: duration(MAX_SECRET_OVERLAP_SECONDS)
      .describe('How long the secret before works on when `client_secret` changes; absent: not at all')
      .optional(),
  }),
  z
    .strictObject({
      ...clientBase,
      token_endpoint_auth_method: z.literal('private_key_jwt'),
      jwks: jwks.optional(),
      jwks_uri: jwksUri.optional(),
    })
    .refine(({ jwks, jwks_uri }) => (jwks === undefined) !== (jwks_uri === undefined), {
      error: 'must have either jwks or jwks_uri',
    }),
])

const policyRules = {
  max_lifetime: duration(LONGEST_LIFETIME_SECONDS).nullable().default(null),
  default_lifetime: duration(LONGEST_LIFETIME_SECONDS).nullable().default(null),
  idle_timeout: duration(LONGEST_LIFETIME_SECONDS, SHORTEST_IDLE_SECONDS).nullable().default(null),
  access_token_max_ttl: duration(LONGEST_TTL_SECONDS).nullable().default(null),
  applies_to: z.enum(['all', 'new']).default('all'),
  exempt_roles: exemptRoles.default([]),
}
const activeTokens = z.int().min(1).max(MOST_ACTIVE_TOKENS)
const platformPolicy = z.strictObject({
  ...policyRules,
  max_active_tokens: activeTokens.default(DEFAULT_MAX_ACTIVE_TOKENS),
})
const organizationPolicy = z.strictObject({
  ...policyRules,
  max_active_tokens: activeTokens.nullable().default(null),
})

/** A declarative file. Unknown keys are errors. */
export const applyFileSchema = z.strictObject({
  resource_servers: z.array(resourceServer).default([]),
  organizations: z.array(organization).default([]),
  roles: z.array(role).default([]),
  users: z.array(user).default([]),
  clients: z.array(client).default([]),
  policies: z
    .strictObject({
      platform: platformPolicy.optional(),
      organizations: z.record(slug, organizationPolicy).default({}),
    })
    .default({ organizations: {} }),
})

export type ApplyFile = z.output<typeof applyFileSchema>
export type PolicyDeclaration = z.output<typeof organizationPolicy>
export type ClientDeclaration = z.output<typeof client>

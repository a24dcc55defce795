// What the API accepts about an expiry policy (contract section 4).

import { z } from 'zod'
import { LONGEST_TTL_SECONDS } from '../../protocol/access-token.ts'
import { exemptRoles } from '../directory/schema.ts'
import {
  isContradictory,
  LONGEST_LIFETIME_SECONDS,
  MOST_ACTIVE_TOKENS,
  type PolicyLevel,
  type PolicyTerms,
  SHORTEST_IDLE_SECONDS,
} from '../policy/policy.ts'

const seconds = (longest: number, shortest = 1) => z.int().min(shortest).max(longest).nullable()

const activeTokens = z.int().min(1).max(MOST_ACTIVE_TOKENS)
const ACTIVE_TOKENS = 'How many active credentials one owner may hold'

/** Every field has to be there: what is absent by accident must not mean "no rule". */
const fieldsOf = (level: PolicyLevel) => ({
  max_lifetime_seconds: seconds(LONGEST_LIFETIME_SECONDS).describe(
    'From its creation on a credential works no longer than this. Null: no rule',
  ),
  default_lifetime_seconds: seconds(LONGEST_LIFETIME_SECONDS).describe(
    'How long a credential lives that was made without a wish. Null: no rule',
  ),
  idle_timeout_seconds: seconds(LONGEST_LIFETIME_SECONDS, SHORTEST_IDLE_SECONDS).describe(
    'A credential stops when it was not used for this long, or not since its creation. Null: no rule',
  ),
  access_token_max_ttl_seconds: seconds(LONGEST_TTL_SECONDS).describe(
    'The longest an access token lives. Null: no rule',
  ),
  max_active_tokens:
    level === 'platform'
      ? activeTokens.describe(ACTIVE_TOKENS)
      : activeTokens.nullable().describe(`${ACTIVE_TOKENS}. Null: no rule`),
  applies_to: z.enum(['all', 'new']).describe('`new` spares the credentials made before `applies_since`'),
  exempt_roles: exemptRoles.describe(
    'Roles whose holders `max_lifetime_seconds` and `idle_timeout_seconds` do not bind',
  ),
})

export type PolicyFields = z.output<z.ZodObject<ReturnType<typeof fieldsOf>>>

const isSound = (policy: PolicyFields): boolean => !isContradictory(toTerms(policy))
const SOUND = {
  error: 'is longer than max_lifetime_seconds',
  path: ['default_lifetime_seconds'],
  when: ({ issues }: z.core.ParsePayload) => issues.length === 0,
}

export const policyBodyOf = (level: PolicyLevel) => z.strictObject(fieldsOf(level)).refine(isSound, SOUND)

const confirm = z
  .int()
  .min(0)
  .optional()
  .describe('How many credentials in use may stop: `in_use` of the preview, `count` of the refusal')

export const policyChangeBodyOf = (level: PolicyLevel) =>
  z.strictObject({ ...fieldsOf(level), confirm }).refine(isSound, SOUND)

export const restorationBody = z.strictObject({ confirm })

/** What a body says. */
export const toTerms = (body: PolicyFields): PolicyTerms => ({
  maxLifetimeSeconds: body.max_lifetime_seconds,
  defaultLifetimeSeconds: body.default_lifetime_seconds,
  idleTimeoutSeconds: body.idle_timeout_seconds,
  accessTokenMaxTtlSeconds: body.access_token_max_ttl_seconds,
  maxActiveTokens: body.max_active_tokens,
  appliesTo: body.applies_to,
  exemptRoles: body.exempt_roles,
})

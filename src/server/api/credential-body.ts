// What the API accepts about a new credential.

import { z } from 'zod'
import { isCidr } from '../../protocol/cidr.ts'
import { humanName, slug } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import type { LifetimeWish } from '../policy/creation.ts'
import { addSeconds } from '../policy/effective-expiry.ts'
import { LONGEST_LIFETIME_SECONDS } from '../policy/policy.ts'
import { givenInstant, permissions, permittedActors } from './schema.ts'

const MAX_OVERLAP_SECONDS = 7 * 86_400

export const credentialName = humanName(100)

const lifetimeMembers = {
  expires_in_seconds: z
    .int()
    .min(1)
    .max(LONGEST_LIFETIME_SECONDS)
    .optional()
    .describe(
      'Or `expires_at`, or `never_expires`. None: the default of the policy; at a rotation, as it was',
    ),
  expires_at: givenInstant.optional().describe('RFC 3339'),
  never_expires: z.literal(true).optional().describe('Where the policy lets it'),
}

/** Members that say what a credential may do and for how long. */
const credentialTerms = {
  name: credentialName.describe('Unique among the active ones of whoever holds it'),
  ...lifetimeMembers,
  permissions: permissions
    .min(1)
    .nullish()
    .describe('Absent or null: all that the role gives, as it is at each exchange'),
  allowed_cidrs: z
    .array(
      z
        .string()
        .max(50)
        .refine(isCidr, { error: 'must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32' }),
    )
    .min(1)
    .max(50)
    .nullish()
    .describe('Client addresses it may be used from; absent or null: from everywhere'),
  may_act: permittedActors
    .min(1)
    .nullish()
    .describe('Who may act for its subject in an exchange (RFC 8693); absent or null: nobody'),
}

type LifetimeMembers = { [Name in 'expires_in_seconds' | 'expires_at' | 'never_expires']?: unknown }

const hasOneLifetime = (body: LifetimeMembers): boolean =>
  [body.expires_in_seconds, body.expires_at, body.never_expires].filter((wish) => wish !== undefined)
    .length <= 1

const ONE_LIFETIME = { error: 'give at most one of expires_in_seconds, expires_at and never_expires' }

/** A new PAT. */
export const patBody = z
  .strictObject({
    ...credentialTerms,
    organization: slug.optional().describe('Needed when the user belongs to several'),
  })
  .refine(hasOneLifetime, ONE_LIFETIME)

/** A new API key. */
export const keyBody = z
  .strictObject({
    ...credentialTerms,
    role: slug.describe('Fixed: one of the organization, or a built-in one'),
  })
  .refine(hasOneLifetime, ONE_LIFETIME)

/** What every new credential is asked to be. */
export type CredentialTerms = Omit<z.output<typeof patBody>, 'organization'>

/** What an update may change. */
export const renameBody = z.strictObject({ name: credentialName })

/** A rotation. */
export const rotateBody = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(MAX_OVERLAP_SECONDS)
      .default(0)
      .describe('How long the old value works on; 0: not at all'),
    ...lifetimeMembers,
  })
  .refine(hasOneLifetime, ONE_LIFETIME)

export interface LifetimeBody {
  readonly expires_in_seconds?: number | undefined
  readonly expires_at?: string | undefined
  readonly never_expires?: true | undefined
}

/** The lifetime a body asks for; 400 for an instant that has passed. */
export function readLifetime(body: LifetimeBody, now: Date): LifetimeWish {
  if (body.never_expires) return { kind: 'never' }
  if (body.expires_in_seconds !== undefined)
    return { kind: 'until', at: addSeconds(now, body.expires_in_seconds) }
  if (body.expires_at === undefined) return { kind: 'default' }
  const at = new Date(body.expires_at)
  if (at <= now) throw new Problem('invalid_request', 'expires_at: must lie in the future')
  if (at > addSeconds(now, LONGEST_LIFETIME_SECONDS))
    throw new Problem('invalid_request', 'expires_at: must lie within 100 years')
  return { kind: 'until', at }
}

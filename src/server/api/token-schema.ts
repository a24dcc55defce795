// What the API accepts about credentials.

import { z } from 'zod'
import { redactCredentials } from '../../protocol/credential.ts'
import { isGrantableScope } from '../../protocol/scope.ts'
import { isCidr } from '../credential/cidr.ts'
import type { LifetimeWish } from '../policy/creation.ts'
import { addSeconds } from '../policy/effective-expiry.ts'

const MAX_LIFETIME_SECONDS = 100 * 365 * 86_400

const permission = z.strictObject({
  audience: z.string().min(1).max(500),
  scopes: z
    .array(z.string().max(200).refine(isGrantableScope, { error: 'must be a scope' }))
    .min(1)
    .max(100),
})

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length

export const issueBody = z
  .strictObject({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine((name) => !/\p{Cc}/u.test(name), { error: 'must not hold control characters' })
      .refine((name) => redactCredentials(name) === name, { error: 'must not hold a credential' }),
    organization: z.string().min(1).max(63).optional(),
    expires_in_seconds: z.int().min(1).max(MAX_LIFETIME_SECONDS).optional(),
    expires_at: z.iso.datetime({ offset: true }).optional(),
    never_expires: z.literal(true).optional(),
    permissions: z
      .array(permission)
      .min(1)
      .max(50)
      .refine((list) => isDistinct(list.map(({ audience }) => audience)), {
        error: 'must name each audience once',
      })
      .nullish(),
    allowed_cidrs: z
      .array(
        z
          .string()
          .max(50)
          .refine(isCidr, { error: 'must be a CIDR block such as 10.0.0.0/8 or 2001:db8::/32' }),
      )
      .min(1)
      .max(50)
      .nullish(),
  })
  .refine(
    ({ expires_in_seconds, expires_at, never_expires }) =>
      [expires_in_seconds, expires_at, never_expires].filter((wish) => wish !== undefined).length <= 1,
    { error: 'give at most one of expires_in_seconds, expires_at and never_expires' },
  )

export type IssueBody = z.output<typeof issueBody>

/** The lifetime a body asks for; an instant that has passed gives `null`. */
export function readLifetime(body: IssueBody, now: Date): LifetimeWish | null {
  if (body.never_expires) return { kind: 'never' }
  if (body.expires_in_seconds !== undefined)
    return { kind: 'until', at: addSeconds(now, body.expires_in_seconds) }
  if (body.expires_at === undefined) return { kind: 'default' }
  const at = new Date(body.expires_at)
  return at > now ? { kind: 'until', at } : null
}

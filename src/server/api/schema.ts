// What several nouns of the API have in common: ids, instants, permissions, pages.

import { z } from 'zod'
import { audience, clientId, grantableScope, isDistinct, slug } from '../directory/schema.ts'

export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  .describe('UUID')
export const instant = z.iso.datetime().describe('RFC 3339, UTC')

const EARLIEST = Date.UTC(1970, 0, 1)
const LATEST = Date.UTC(9999, 0, 1)

/** An instant in a request. Beyond these years neither RFC 3339 nor a Date has room for every offset. */
export const givenInstant = z.iso.datetime({ offset: true }).refine(
  (text) => {
    const instantMs = Date.parse(text)
    return instantMs >= EARLIEST && instantMs < LATEST
  },
  { error: 'must lie in the years 1970 to 9998' },
)
export const slugParams = z.object({ slug })

/** An address to look for. None has a control character, and Postgres takes no text with U+0000. */
export const emailText = z
  .string()
  .max(254)
  .regex(/^\P{Cc}*$/u, { error: 'must not hold control characters' })

/** Public id of a credential. */
export const credentialId = z.string().regex(/^[0-9a-f]{16}$/)

const permission = z
  .strictObject({ audience, scopes: z.array(grantableScope).min(1).max(100) })
  .meta({ id: 'Permission' })

/** An audience with scopes, each audience once. */
export const permissions = z
  .array(permission)
  .max(50)
  .refine((list) => isDistinct(list.map((one) => one.audience)), { error: 'must name each audience once' })

const permittedActor = z
  .strictObject({
    sub: z
      .string()
      .regex(/^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|key:[0-9a-f]{16})$/)
      .describe('The subject of the actor: a user id, or `key:` and the id of an API key'),
    client_id: clientId.optional().describe('The one client that may ask for it; absent: every one'),
  })
  .meta({ id: 'PermittedActor' })

/** Who may act for a subject. */
export const permittedActors = z.array(permittedActor).max(50)

/** The body of an update: members of which at least one is given; what is absent stays as it is. */
export const changesOf = <Shape extends z.core.$ZodShape>(shape: Shape) =>
  z
    .strictObject(shape)
    .partial()
    .refine((body) => Object.values(body).some((value) => value !== undefined), {
      error: 'must have at least one member',
    })
    .meta({ minProperties: 1 })

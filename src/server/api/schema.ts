// What several nouns of the API have in common: ids, instants, permissions, pages.

import { z } from 'zod'
import { audience, grantableScope, slug } from '../directory/schema.ts'

export const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  .describe('UUID')
export const instant = z.iso.datetime().describe('RFC 3339, UTC')
export const slugParams = z.object({ slug })

/** Public id of a credential. */
export const credentialId = z.string().regex(/^[0-9a-f]{16}$/)

const isDistinct = (values: readonly string[]): boolean => new Set(values).size === values.length

const permission = z
  .strictObject({ audience, scopes: z.array(grantableScope).min(1).max(100) })
  .meta({ id: 'Permission' })

/** An audience with scopes, each audience once. */
export const permissions = z
  .array(permission)
  .max(50)
  .refine((list) => isDistinct(list.map((one) => one.audience)), { error: 'must name each audience once' })

// A role as JSON.

import { z } from 'zod'
import type { Role } from '../directory/role-store.ts'
import { slug } from '../directory/schema.ts'
import { instant, permissions } from './schema.ts'

export const roleView = z
  .strictObject({
    name: slug,
    organization: slug.nullable().describe('Null for a built-in role, which every organization has'),
    built_in: z.boolean(),
    reach: z
      .enum(['platform', 'organization'])
      .describe('How far its management rights go: every organization, or only the own'),
    permissions,
    created_at: instant,
  })
  .meta({ id: 'Role' })

type RoleView = z.output<typeof roleView>

/** A role that members of the organization `slug` can have. */
export const viewRole = (
  { name, organizationId, reach, grants, createdAt }: Role,
  slug: string,
): RoleView => ({
  name,
  organization: organizationId === null ? null : slug,
  built_in: organizationId === null,
  reach,
  permissions: grants.map(({ audience, scopes }) => ({ audience, scopes: [...scopes] })),
  created_at: createdAt.toISOString(),
})

/** The creation is in it because a role made anew under the same name is another one. */
export const versionOfRole = ({ name, organization, permissions, created_at }: RoleView) => ({
  name,
  organization,
  permissions,
  created_at,
})

// A user as JSON. Never the password hash.

import { z } from 'zod'
import type { UserMembership } from '../directory/membership-store.ts'
import { humanName, slug } from '../directory/schema.ts'
import type { User } from '../directory/user-store.ts'
import { instant, uuid } from './schema.ts'

const members = {
  id: uuid.describe('The token claim `sub`'),
  email: z.string(),
  name: humanName(200),
  status: z.enum(['active', 'suspended']),
  created_at: instant,
}

export const userView = z.strictObject(members).meta({ id: 'User' })

export const viewUser = ({ id, email, name, status, createdAt }: User): z.output<typeof userView> => ({
  id,
  email,
  name,
  status: status === 'suspended' ? 'suspended' : 'active',
  created_at: createdAt.toISOString(),
})

/** One user, with where they belong. */
export const userDetailView = z
  .strictObject({
    ...members,
    memberships: z
      .array(
        z.strictObject({ organization: slug, role: slug.nullable().describe('Null after it was deleted') }),
      )
      .describe("Within the caller's reach"),
  })
  .meta({ id: 'UserDetail' })

export const viewUserDetail = (
  user: User,
  memberships: readonly UserMembership[],
): z.output<typeof userDetailView> => ({
  ...viewUser(user),
  memberships: memberships.map(({ organization, role }) => ({ organization, role })),
})

/** What an update may change. */
export const versionOfUser = ({ id, email, name, status }: z.output<typeof userView>) => ({
  id,
  email,
  name,
  status,
})

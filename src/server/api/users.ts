// `/users`: who exists within the caller's reach.

import { z } from 'zod'
import { humanName } from '../directory/schema.ts'
import { listUsers, type User } from '../directory/user-store.ts'
import { operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { instant, uuid } from './schema.ts'

/** No e-mail address has a control character, and Postgres takes no text with U+0000. */
const emailText = z
  .string()
  .max(254)
  .regex(/^\P{Cc}*$/u, { error: 'must not hold control characters' })

export const userView = z
  .strictObject({
    id: uuid.describe('The token claim `sub`'),
    email: z.string(),
    name: humanName(200),
    status: z.enum(['active', 'suspended']),
    created_at: instant,
  })
  .meta({ id: 'User' })

const viewUser = ({ id, email, name, status, createdAt }: User): z.output<typeof userView> => ({
  id,
  email,
  name,
  status: status === 'suspended' ? 'suspended' : 'active',
  created_at: createdAt.toISOString(),
})

const list = operation({
  id: 'listUsers',
  method: 'get',
  path: '/users',
  tag: 'Users',
  summary: 'List users',
  description: 'Oldest first. Without platform-wide rights: the members of the own organization.',
  access: 'users:read',
  query: pageQuery.extend({
    email: emailText.optional().describe('Exact address, in any case of letters'),
  }),
  answer: { status: 200, description: 'A page of users', schema: pageOf(userView) },
  handle: async ({ caller, query }, { db }) => {
    const users = await listUsers(db, {
      organizationId: caller.isPlatformWide ? null : caller.standing.organization.id,
      email: query.email ?? null,
      after: decodeCursor(query.cursor, uuid),
      limit: query.limit + 1,
    })
    return toPage(users, query.limit, (user) => user, viewUser)
  },
})

export const userOperations = [list]

// `/users`: who exists within the caller's reach. Users are objects of the platform: changing one takes rights in every
// organization (docs/decisions/0022).

import { z } from 'zod'
import { uuidV7 } from '../../protocol/uuid.ts'
import { listMembershipsOf } from '../directory/membership-store.ts'
import { displayName, email } from '../directory/schema.ts'
import { addUser, findUser, listUsers, type User } from '../directory/user-store.ts'
import { Problem } from '../http/problem.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { requirePlatformWide } from './reach.ts'
import { changesOf, emailText, uuid } from './schema.ts'
import { deleteUser, updateUser } from './user-change.ts'
import { userDetailView, userView, versionOfUser, viewUser, viewUserDetail } from './user-view.ts'

const ofUser = z.object({ user_id: uuid })
const CHANGING = 'Changing users (an organization removes its member instead)'

const detail = { schema: userDetailView, version: versionOfUser }

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

const create = operation({
  id: 'createUser',
  method: 'post',
  path: '/users',
  tag: 'Users',
  summary: 'Create a user',
  description:
    'Takes platform-wide rights. A new user is a member of no organization. Whoever had the e-mail address before ' +
    'and was deleted is somebody else.',
  access: 'users:write',
  body: z.strictObject({ email: email.describe('Unique in any case of letters'), name: displayName }),
  answer: { status: 201, description: 'The user', ...detail },
  problems: ['name_taken'],
  handle: ({ caller, body, now, origin }, { change }) => {
    requirePlatformWide(caller, CHANGING)
    return change(origin, async ({ transaction, record }) => {
      const user = { ...body, id: uuidV7(now), status: 'active', createdAt: now } satisfies User
      if (!(await addUser(transaction, { ...user, passwordHash: null })))
        throw new Problem('name_taken', 'There is a user with this e-mail address')
      record({ type: 'user.created', subject: user.id, target: `user:${user.id}` })
      return viewUserDetail(user, [])
    })
  },
})

const show = operation({
  id: 'getUser',
  method: 'get',
  path: '/users/{user_id}',
  tag: 'Users',
  summary: 'Read a user',
  description: 'Without platform-wide rights: a member of the own organization, and only that membership.',
  access: 'users:read',
  params: ofUser,
  answer: { status: 200, description: 'The user', ...detail },
  handle: async ({ caller, params }, { db }) => {
    const user = await findUser(db, params.user_id)
    const within = (await listMembershipsOf(db, params.user_id)).filter(
      ({ organizationId }) => caller.isPlatformWide || organizationId === caller.standing.organization.id,
    )
    if (!user || (within.length === 0 && !caller.isPlatformWide)) throw new Problem('not_found')
    return viewUserDetail(user, within)
  },
})

const update = operation({
  id: 'updateUser',
  method: 'patch',
  path: '/users/{user_id}',
  tag: 'Users',
  summary: 'Change, suspend or restore a user',
  description:
    'Takes platform-wide rights. Suspending stops every credential the user owns at its next use; restoring gives ' +
    'them back what they could do. Nobody suspends themselves.',
  access: 'users:write',
  params: ofUser,
  body: changesOf({ email, name: displayName, status: z.enum(['active', 'suspended']) }),
  answer: { status: 200, description: 'The user as it is now', ...detail },
  problems: ['name_taken', 'last_platform_admin'],
  handle: (call, dependencies) => {
    requirePlatformWide(call.caller, CHANGING)
    return updateUser({ ...call, id: call.params.user_id }, dependencies)
  },
})

const remove = operation({
  id: 'deleteUser',
  method: 'delete',
  path: '/users/{user_id}',
  tag: 'Users',
  summary: 'Delete a user',
  description:
    'For good: memberships end and every credential the user owns is revoked. The e-mail address is free for a new ' +
    'user, who inherits nothing. Takes platform-wide rights. Nobody deletes themselves.',
  access: 'users:write',
  params: ofUser,
  answer: NO_CONTENT,
  problems: ['last_platform_admin', 'precondition_failed'],
  handle: (call, dependencies) => {
    requirePlatformWide(call.caller, CHANGING)
    return deleteUser({ ...call, id: call.params.user_id }, dependencies)
  },
})

export const userOperations = [list, create, show, update, remove]

// `/organizations/{slug}/members`: which users belong to an organization, and with which role.

import { z } from 'zod'
import {
  deleteMembership,
  findMember,
  insertMembership,
  listMembers,
  saveMembership,
} from '../directory/membership-store.ts'
import { slug } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import { holdMember, requireCandidate, requireGrantable, requireRemovable } from './member-change.ts'
import { memberView, versionOfMember, viewMember } from './member-view.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { holdOrganization, keepPlatformAdminAmong, requireOrganization } from './reach.ts'
import { emailText, slugParams, uuid } from './schema.ts'
import { requireVersion } from './version.ts'

const path = '/organizations/{slug}/members'
const ofMember = { path: `${path}/{user_id}`, params: slugParams.extend({ user_id: uuid }) } as const
const tag = 'Members'

const theMember = { description: 'The member', schema: memberView, version: versionOfMember } as const

const WHO_MAY_GRANT = 'Nobody grants a role with management rights beyond their own.'

const newMember = z
  .strictObject({
    user_id: uuid.optional(),
    email: emailText.optional().describe('Exact address, in any case of letters'),
    role: slug,
  })
  .refine(({ user_id, email }) => (user_id === undefined) !== (email === undefined), {
    error: 'give exactly one of user_id and email',
  })

const list = operation({
  id: 'listMembers',
  method: 'get',
  path,
  tag,
  summary: 'List the members of an organization',
  description: 'By user id, which is in the order in which the users were made.',
  access: 'organizations:read',
  params: slugParams,
  query: pageQuery,
  answer: { status: 200, description: 'A page of members', schema: pageOf(memberView) },
  handle: async ({ caller, params, query }, { db }) => {
    const { id } = await requireOrganization(db, caller, params.slug)
    const after = decodeCursor(query.cursor, uuid)?.id ?? null
    const members = await listMembers(db, id, query.limit + 1, after)
    return toPage(members, query.limit, ({ createdAt, userId }) => ({ createdAt, id: userId }), viewMember)
  },
})

const add = operation({
  id: 'addMember',
  method: 'post',
  path,
  tag,
  summary: 'Make a user a member',
  description:
    `${WHO_MAY_GRANT} Without platform-wide rights a user of another organization is found by e-mail address alone. ` +
    'Whoever was a member before has the credentials they made here again.',
  access: 'organizations:write',
  params: slugParams,
  body: newMember,
  answer: { status: 201, ...theMember },
  problems: ['name_taken'],
  handle: ({ caller, params, body, now, origin }, { change, apiAudience }) =>
    change(origin, async ({ transaction, record }) => {
      const { id: organizationId } = await holdOrganization(transaction, caller, params.slug)
      const role = await requireGrantable(transaction, caller, organizationId, body.role, apiAudience)
      const user = await requireCandidate(transaction, caller, organizationId, body)
      const membership = { organizationId, userId: user.id, roleId: role.id }
      if (!(await insertMembership(transaction, membership, now)))
        throw new Problem('name_taken', 'The user is a member already')
      record({
        type: 'member.added',
        organizationId,
        subject: user.id,
        target: targetOf(user.id),
        detail: { role: role.name },
      })
      return viewMember(await holdMember(transaction, organizationId, user.id))
    }),
})

const show = operation({
  id: 'getMember',
  method: 'get',
  ...ofMember,
  tag,
  summary: 'Read a member',
  access: 'organizations:read',
  answer: { status: 200, ...theMember },
  handle: async ({ caller, params }, { db }) => {
    const { id } = await requireOrganization(db, caller, params.slug)
    const member = await findMember(db, id, params.user_id)
    if (!member) throw new Problem('not_found')
    return viewMember(member)
  },
})

const update = operation({
  id: 'updateMember',
  method: 'patch',
  ...ofMember,
  tag,
  summary: 'Give a member another role',
  description: `Binds at their next exchange. ${WHO_MAY_GRANT} Nor does anybody take such a role away.`,
  access: 'organizations:write',
  body: z.strictObject({ role: slug }),
  answer: { status: 200, ...theMember },
  problems: ['last_platform_admin'],
  handle: ({ caller, params, body, ifMatch, now, origin }, { change, apiAudience }) =>
    change(origin, async ({ transaction, record }) => {
      const { id: organizationId } = await holdOrganization(transaction, caller, params.slug)
      const before = await holdMember(transaction, organizationId, params.user_id)
      requireVersion(ifMatch, versionOfMember(viewMember(before)))
      const role = await requireGrantable(transaction, caller, organizationId, body.role, apiAudience)
      await requireRemovable(transaction, caller, organizationId, params.user_id, apiAudience)
      if (role.name === before.role) return viewMember(before)
      const { userId } = before
      await keepPlatformAdminAmong(transaction, [before], () =>
        saveMembership(transaction, { organizationId, userId, roleId: role.id }, now),
      )
      record({
        type: 'member.changed',
        organizationId,
        subject: userId,
        target: targetOf(userId),
        detail: { before: { role: before.role }, after: { role: role.name } },
      })
      return viewMember({ ...before, role: role.name })
    }),
})

const remove = operation({
  id: 'removeMember',
  method: 'delete',
  ...ofMember,
  tag,
  summary: 'Remove a member',
  description:
    'Every PAT they made in this organization stops at its next exchange. It is not revoked: making the user a ' +
    'member again gives it the rights of the role they then have. API keys stay. Not for a member with management ' +
    'rights beyond the own ones.',
  access: 'organizations:write',
  answer: NO_CONTENT,
  problems: ['last_platform_admin', 'precondition_failed'],
  handle: ({ caller, params, ifMatch, origin }, { change, apiAudience }) =>
    change(origin, async ({ transaction, record }) => {
      const { id: organizationId } = await holdOrganization(transaction, caller, params.slug)
      const before = await holdMember(transaction, organizationId, params.user_id)
      requireVersion(ifMatch, versionOfMember(viewMember(before)))
      const { userId, role } = before
      await requireRemovable(transaction, caller, organizationId, userId, apiAudience)
      await keepPlatformAdminAmong(transaction, [before], () =>
        deleteMembership(transaction, userId, organizationId),
      )
      record({
        type: 'member.removed',
        organizationId,
        subject: userId,
        target: targetOf(userId),
        detail: { role },
      })
    }),
})

export const memberOperations = [list, add, show, update, remove]

const targetOf = (userId: string): string => `member:${userId}`

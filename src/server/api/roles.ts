// `/organizations/{slug}/roles`: what members and API keys of an organization may do.

import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { uuidV7 } from '../../protocol/uuid.ts'
import { isBuiltInRole } from '../directory/built-in.ts'
import {
  deleteRole,
  findRoleOf,
  insertRole,
  listPermissions,
  listRolesOf,
  type Role,
  replacePermissions,
} from '../directory/role-store.ts'
import { slug } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import type { Transaction } from '../ledger/change.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { holdOrganization, requireOrganization } from './reach.ts'
import {
  requireDefinable,
  requireManageable,
  requireOwnRole,
  requireUnexemptName,
} from './role-definition.ts'
import { roleView, versionOfRole, viewRole } from './role-view.ts'
import { permissions, slugParams, uuid } from './schema.ts'
import { requireVersion } from './version.ts'

const path = '/organizations/{slug}/roles'
const ofRole = { path: `${path}/{name}`, params: slugParams.extend({ name: slug }) } as const
const tag = 'Roles'

const theRole = { description: 'The role', schema: roleView, version: versionOfRole } as const

const WHO_MAY_DEFINE =
  'Its management scopes must be within the own ones. Without platform-wide rights its other permissions must be ' +
  'held by the caller or already permitted by a role of the organization: what is new to an organization comes from ' +
  'the platform.'

const list = operation({
  id: 'listRoles',
  method: 'get',
  path,
  tag,
  summary: 'List the roles of an organization',
  description: 'Its own and the built-in ones, oldest first.',
  access: 'organizations:read',
  params: slugParams,
  query: pageQuery,
  answer: { status: 200, description: 'A page of roles', schema: pageOf(roleView) },
  handle: async ({ caller, params, query }, { db }) => {
    const organization = await requireOrganization(db, caller, params.slug)
    const after = decodeCursor(query.cursor, uuid)?.id ?? null
    const roles = await listRolesOf(db, organization.id, query.limit + 1, after)
    return toPage(
      roles,
      query.limit,
      (role) => role,
      (role) => viewRole(role, organization.slug),
    )
  },
})

const create = operation({
  id: 'createRole',
  method: 'post',
  path,
  tag,
  summary: 'Define a role',
  description: WHO_MAY_DEFINE,
  access: 'organizations:write',
  params: slugParams,
  body: z.strictObject({ name: slug, permissions }),
  answer: { status: 201, ...theRole },
  problems: ['name_taken', 'permission_not_held'],
  handle: ({ caller, params, body, now, origin }, { change, apiAudience }) =>
    change(origin, async ({ transaction, record }) => {
      const { id: organizationId } = await holdOrganization(transaction, caller, params.slug)
      if (isBuiltInRole(body.name)) throw new Problem('name_taken', `The role ${body.name} is built in`)
      await requireUnexemptName(transaction, caller, body.name)
      const permitted = await requireDefinable(
        transaction,
        caller,
        organizationId,
        body.permissions,
        apiAudience,
      )
      const role = { id: uuidV7(now), organizationId, name: body.name, reach: 'organization' } as const
      if (!(await insertRole(transaction, role, now))) throw new Problem('name_taken')
      await replacePermissions(transaction, role.id, permitted)
      const created = viewRole(await readBack(transaction, organizationId, body.name), params.slug)
      record({
        type: 'role.created',
        organizationId,
        target: targetOf(role),
        detail: { permissions: created.permissions },
      })
      return created
    }),
})

const show = operation({
  id: 'getRole',
  method: 'get',
  ...ofRole,
  tag,
  summary: 'Read a role',
  access: 'organizations:read',
  answer: { status: 200, ...theRole },
  handle: async ({ caller, params }, { db }) => {
    const organization = await requireOrganization(db, caller, params.slug)
    const role = await findRoleOf(db, organization.id, params.name)
    if (!role) throw new Problem('not_found')
    return viewRole(role, organization.slug)
  },
})

const update = operation({
  id: 'updateRole',
  method: 'patch',
  ...ofRole,
  tag,
  summary: 'Change what a role permits',
  description:
    'Makes these all its permissions; binds at the next exchange of everyone who has the role. Not for a role with ' +
    `management rights beyond the own ones. ${WHO_MAY_DEFINE}`,
  access: 'organizations:write',
  body: z.strictObject({ permissions }),
  answer: { status: 200, ...theRole },
  problems: ['built_in', 'permission_not_held'],
  handle: ({ caller, params, body, ifMatch, origin }, { change, apiAudience }) =>
    change(origin, async ({ transaction, record }) => {
      const { id: organizationId } = await holdOrganization(transaction, caller, params.slug)
      const role = await requireOwnRole(transaction, organizationId, params.name)
      const before = viewRole(role, params.slug)
      requireVersion(ifMatch, versionOfRole(before))
      requireManageable(caller, role, apiAudience)
      const permitted = await requireDefinable(
        transaction,
        caller,
        organizationId,
        body.permissions,
        apiAudience,
      )
      if (isDeepStrictEqual(await listPermissions(transaction, role.id), permitted)) return before
      await replacePermissions(transaction, role.id, permitted)
      const after = viewRole(await readBack(transaction, organizationId, role.name), params.slug)
      record({
        type: 'role.updated',
        organizationId,
        target: targetOf(role),
        detail: { before: { permissions: before.permissions }, after: { permissions: after.permissions } },
      })
      return after
    }),
})

const remove = operation({
  id: 'deleteRole',
  method: 'delete',
  ...ofRole,
  tag,
  summary: 'Delete a role',
  description:
    'Also one that is in use: its members and API keys keep their place and lose what it gave, from their next ' +
    'exchange on, until a member is given another role. A later role of the same name is not theirs. Not for a role ' +
    'with management rights beyond the own ones.',
  access: 'organizations:write',
  answer: NO_CONTENT,
  problems: ['built_in', 'precondition_failed'],
  handle: ({ caller, params, ifMatch, origin }, { change, apiAudience }) =>
    change(origin, async ({ transaction, record }) => {
      const { id: organizationId } = await holdOrganization(transaction, caller, params.slug)
      const role = await requireOwnRole(transaction, organizationId, params.name)
      const before = viewRole(role, params.slug)
      requireVersion(ifMatch, versionOfRole(before))
      requireManageable(caller, role, apiAudience)
      await deleteRole(transaction, role.id)
      record({
        type: 'role.deleted',
        organizationId,
        target: targetOf(role),
        detail: { permissions: before.permissions },
      })
    }),
})

export const roleOperations = [list, create, show, update, remove]

const targetOf = ({ name }: Pick<Role, 'name'>): string => `role:${name}`

/** The role as this transaction has just written it. */
async function readBack(transaction: Transaction, organizationId: string, name: string): Promise<Role> {
  const role = await findRoleOf(transaction, organizationId, name)
  if (!role) throw new Error(`role ${name} was written and is not there`)
  return role
}

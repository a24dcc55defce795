// `/organizations`: the tenants. What a credential may do, and what its tokens say in `org`, is of one of them.

import { z } from 'zod'
import { uuidV7 } from '../../protocol/uuid.ts'
import {
  insertOrganization,
  listOrganizations,
  markOrganizationDeleted,
  type Organization,
  renameOrganization,
} from '../directory/organization-store.ts'
import { displayName, slug } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { holdOrganization, keepPlatformAdmin, requireOrganization, requirePlatformWide } from './reach.ts'
import { instant, slugParams, uuid } from './schema.ts'
import { requireVersion } from './version.ts'

/** The organization of whoever made this installation work. */
const FIRST = 'default'

const organizationView = z
  .strictObject({
    id: uuid,
    slug: slug.describe('The token claim `org`; never changes'),
    name: displayName,
    created_at: instant,
  })
  .meta({ id: 'Organization' })

const viewOrganization = ({
  id,
  slug,
  name,
  createdAt,
}: Organization): z.output<typeof organizationView> => ({
  id,
  slug,
  name,
  created_at: createdAt.toISOString(),
})

const versionOfOrganization = ({ id, name }: z.output<typeof organizationView>) => ({ id, name })

const theOrganization = {
  description: 'The organization',
  schema: organizationView,
  version: versionOfOrganization,
} as const

const list = operation({
  id: 'listOrganizations',
  method: 'get',
  path: '/organizations',
  tag: 'Organizations',
  summary: 'List organizations',
  description: 'Oldest first. Without platform-wide rights: the own one.',
  access: 'organizations:read',
  query: pageQuery,
  answer: { status: 200, description: 'A page of organizations', schema: pageOf(organizationView) },
  handle: async ({ caller, query }, { db }) => {
    const organizations = await listOrganizations(db, {
      id: caller.isPlatformWide ? null : caller.standing.organization.id,
      after: decodeCursor(query.cursor, uuid),
      limit: query.limit + 1,
    })
    return toPage(organizations, query.limit, (organization) => organization, viewOrganization)
  },
})

const create = operation({
  id: 'createOrganization',
  method: 'post',
  path: '/organizations',
  tag: 'Organizations',
  summary: 'Create an organization',
  description:
    'Takes platform-wide rights. The slug of a deleted organization stays taken: it stands in tokens, and must never ' +
    'name another one.',
  access: 'organizations:write',
  body: z.strictObject({ slug, name: displayName }),
  answer: { status: 201, ...theOrganization },
  problems: ['name_taken'],
  handle: ({ caller, body, now, origin }, { change }) => {
    requirePlatformWide(caller, 'Creating an organization')
    return change(origin, async ({ transaction, record }) => {
      const organization = { id: uuidV7(now), ...body }
      if (!(await insertOrganization(transaction, organization, now)))
        throw new Problem('name_taken', `The slug ${body.slug} is taken, perhaps by a deleted organization`)
      record({
        type: 'organization.created',
        organizationId: organization.id,
        target: targetOf(organization),
        detail: { name: organization.name },
      })
      return viewOrganization({ ...organization, createdAt: now })
    })
  },
})

const show = operation({
  id: 'getOrganization',
  method: 'get',
  path: '/organizations/{slug}',
  tag: 'Organizations',
  summary: 'Read an organization',
  access: 'organizations:read',
  params: slugParams,
  answer: { status: 200, ...theOrganization },
  handle: async ({ caller, params }, { db }) =>
    viewOrganization(await requireOrganization(db, caller, params.slug)),
})

const update = operation({
  id: 'updateOrganization',
  method: 'patch',
  path: '/organizations/{slug}',
  tag: 'Organizations',
  summary: 'Rename an organization',
  access: 'organizations:write',
  params: slugParams,
  body: z.strictObject({ name: displayName }),
  answer: { status: 200, ...theOrganization },
  handle: ({ caller, params, body, ifMatch, origin }, { change }) =>
    change(origin, async ({ transaction, record }) => {
      const before = await holdOrganization(transaction, caller, params.slug)
      requireVersion(ifMatch, versionOfOrganization(viewOrganization(before)))
      if (body.name !== before.name) {
        await renameOrganization(transaction, before.id, body.name)
        record({
          type: 'organization.updated',
          organizationId: before.id,
          target: targetOf(before),
          detail: { before: { name: before.name }, after: { name: body.name } },
        })
      }
      return viewOrganization({ ...before, name: body.name })
    }),
})

const remove = operation({
  id: 'deleteOrganization',
  method: 'delete',
  path: '/organizations/{slug}',
  tag: 'Organizations',
  summary: 'Delete an organization',
  description:
    'Takes platform-wide rights. Every credential of the organization stops at its next use, for good. Not for ' +
    `\`${FIRST}\`, nor for the organization of the credential that asks.`,
  access: 'organizations:write',
  params: slugParams,
  answer: NO_CONTENT,
  problems: ['built_in', 'in_use', 'last_platform_admin', 'precondition_failed'],
  handle: ({ caller, params, ifMatch, now, origin }, { change }) =>
    change(origin, async ({ transaction, record }) => {
      const organization = await holdOrganization(transaction, caller, params.slug)
      requirePlatformWide(caller, 'Deleting an organization')
      requireVersion(ifMatch, versionOfOrganization(viewOrganization(organization)))
      if (params.slug === FIRST) throw new Problem('built_in')
      if (organization.id === caller.standing.organization.id)
        throw new Problem('in_use', 'The credential you call with is of this organization')
      await keepPlatformAdmin(transaction, () => markOrganizationDeleted(transaction, organization.id, now))
      record({
        type: 'organization.deleted',
        organizationId: organization.id,
        target: targetOf(organization),
      })
    }),
})

export const organizationOperations = [list, create, show, update, remove]

const targetOf = ({ slug }: Pick<Organization, 'slug'>): string => `organization:${slug}`

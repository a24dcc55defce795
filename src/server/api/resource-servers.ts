// `/resource-servers`: what tokens can be asked for. They belong to the platform; what an update leaves out stays.

import { z } from 'zod'
import { LONGEST_TTL_SECONDS, SIGNING_ALGORITHMS } from '../../protocol/access-token.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import {
  addResourceServer,
  type DescribedResourceServer,
  deleteResourceServer,
  describeResourceServer,
  listResourceServers,
  lockResourceServer,
  type ResourceServerSettings,
  replaceScopes,
  updateResourceServer,
} from '../directory/resource-server-store.ts'
import { audience, concreteScope, displayName, humanName } from '../directory/schema.ts'
import { Problem } from '../http/problem.ts'
import type { Transaction } from '../ledger/change.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { requirePlatformWide } from './reach.ts'
import { changesOf, instant, uuid } from './schema.ts'
import { sortMembers } from './sort-members.ts'
import { findDifference, mergeChanges } from './update.ts'
import { requireVersion } from './version.ts'

const MAX_SCOPES = 500
const BODY_LIMIT = '512kb'
const CHANGING = 'Changing resource servers'

const ofResourceServer = z.object({ id: uuid })
const ttl = z.int().min(1).max(LONGEST_TTL_SECONDS)
const signingAlg = z.enum(SIGNING_ALGORITHMS)
const dpopRequired = z.boolean().describe('Whether an exchange for it needs a DPoP proof (RFC 9449)')
const scopes = z
  .record(concreteScope, humanName(500))
  .refine((map) => Object.keys(map).length <= MAX_SCOPES, { error: `must name at most ${MAX_SCOPES} scopes` })
  .meta({ maxProperties: MAX_SCOPES })
  .describe('Each scope with what it allows')

const resourceServerView = z
  .strictObject({
    id: uuid,
    audience: audience.describe('The token claim `aud`; never changes'),
    name: displayName,
    scopes: z.record(z.string(), z.string()),
    access_token_ttl_seconds: ttl,
    signing_alg: signingAlg,
    dpop_required: dpopRequired,
    built_in: z.boolean().describe('The management API itself'),
    created_at: instant,
  })
  .meta({ id: 'ResourceServer' })

type ResourceServerView = z.output<typeof resourceServerView>

const viewResourceServer = (server: DescribedResourceServer): ResourceServerView => ({
  id: server.id,
  audience: server.audience,
  name: server.name,
  scopes: sortMembers(server.scopes),
  access_token_ttl_seconds: server.accessTokenTtlSeconds,
  signing_alg: server.signingAlg,
  dpop_required: server.dpopRequired,
  built_in: server.builtIn,
  created_at: server.createdAt.toISOString(),
})

/** What an update may change. */
const versionOfResourceServer = ({
  name,
  scopes,
  access_token_ttl_seconds,
  signing_alg,
  dpop_required,
}: ResourceServerView) => ({
  name,
  scopes,
  access_token_ttl_seconds,
  signing_alg,
  dpop_required,
})

const detail = { schema: resourceServerView, version: versionOfResourceServer }

const list = operation({
  id: 'listResourceServers',
  method: 'get',
  path: '/resource-servers',
  tag: 'Resource servers',
  summary: 'List resource servers',
  description: 'Oldest first.',
  access: 'clients:read',
  query: pageQuery.extend({ audience: audience.optional().describe('Exact') }),
  answer: { status: 200, description: 'A page of resource servers', schema: pageOf(resourceServerView) },
  handle: async ({ query }, { db }) => {
    const servers = await listResourceServers(db, {
      audience: query.audience ?? null,
      after: decodeCursor(query.cursor, uuid),
      limit: query.limit + 1,
    })
    return toPage(servers, query.limit, (server) => server, viewResourceServer)
  },
})

const create = operation({
  id: 'createResourceServer',
  method: 'post',
  path: '/resource-servers',
  tag: 'Resource servers',
  summary: 'Create a resource server',
  description: 'Takes platform-wide rights. Nobody may do anything there until a role permits it.',
  access: 'clients:write',
  body: z.strictObject({
    audience: audience.describe('Unique'),
    name: displayName,
    scopes,
    access_token_ttl_seconds: ttl.default(300),
    signing_alg: signingAlg.default('ES256'),
    dpop_required: dpopRequired.default(false),
  }),
  bodyLimit: BODY_LIMIT,
  answer: { status: 201, description: 'The resource server', ...detail },
  problems: ['name_taken'],
  handle: ({ caller, body, now, origin }, { change }) => {
    requirePlatformWide(caller, CHANGING)
    return change(origin, async ({ transaction, record }) => {
      const server = { ...toSettings(body), id: uuidV7(now), audience: body.audience, builtIn: false }
      if (!(await addResourceServer(transaction, server, now)))
        throw new Problem('name_taken', 'There is a resource server with this audience')
      await replaceScopes(transaction, server.id, body.scopes)
      const { scopes } = body
      record({ type: 'resource_server.created', target: targetOf(server), detail: { scopes } })
      return viewResourceServer({ ...server, scopes, createdAt: now })
    })
  },
})

const show = operation({
  id: 'getResourceServer',
  method: 'get',
  path: '/resource-servers/{id}',
  tag: 'Resource servers',
  summary: 'Read a resource server',
  access: 'clients:read',
  params: ofResourceServer,
  answer: { status: 200, description: 'The resource server', ...detail },
  handle: async ({ params }, { db }) => {
    const server = await describeResourceServer(db, params.id)
    if (!server) throw new Problem('not_found')
    return viewResourceServer(server)
  },
})

const update = operation({
  id: 'updateResourceServer',
  method: 'patch',
  path: '/resource-servers/{id}',
  tag: 'Resource servers',
  summary: 'Change a resource server',
  description:
    'Takes platform-wide rights, and binds at the next exchange. `scopes` is the whole map: a scope that is not in ' +
    'it is issued no more.',
  access: 'clients:write',
  params: ofResourceServer,
  body: changesOf({
    name: displayName,
    scopes,
    access_token_ttl_seconds: ttl,
    signing_alg: signingAlg,
    dpop_required: dpopRequired,
  }),
  bodyLimit: BODY_LIMIT,
  answer: { status: 200, description: 'The resource server as it is now', ...detail },
  problems: ['built_in'],
  handle: ({ caller, params, body, ifMatch, origin }, { change }) => {
    requirePlatformWide(caller, CHANGING)
    return change(origin, async ({ transaction, record }) => {
      const server = await holdResourceServer(transaction, params.id, ifMatch)
      const before = versionOfResourceServer(viewResourceServer(server))
      const after = mergeChanges(before, body)
      const difference = findDifference(before, after)
      if (difference) {
        await updateResourceServer(transaction, params.id, toSettings(after))
        await replaceScopes(transaction, params.id, after.scopes)
        record({ type: 'resource_server.updated', target: targetOf(server), detail: { ...difference } })
      }
      return viewResourceServer({ ...server, ...toSettings(after), scopes: after.scopes })
    })
  },
})

const remove = operation({
  id: 'deleteResourceServer',
  method: 'delete',
  path: '/resource-servers/{id}',
  tag: 'Resource servers',
  summary: 'Delete a resource server',
  description:
    'Takes platform-wide rights, and binds at the next exchange. What roles permit there is deleted with it, and ' +
    'another resource server of the same audience begins with nothing.',
  access: 'clients:write',
  params: ofResourceServer,
  answer: NO_CONTENT,
  problems: ['built_in', 'precondition_failed'],
  handle: ({ caller, params, ifMatch, origin }, { change }) => {
    requirePlatformWide(caller, CHANGING)
    return change(origin, async ({ transaction, record }) => {
      const server = await holdResourceServer(transaction, params.id, ifMatch)
      await deleteResourceServer(transaction, params.id)
      record({ type: 'resource_server.deleted', target: targetOf(server) })
    })
  },
})

export const resourceServerOperations = [list, create, show, update, remove]

const targetOf = (server: { readonly audience: string }): string => `resource_server:${server.audience}`

/** Names as the store has them. */
const toSettings = ({
  name,
  access_token_ttl_seconds: accessTokenTtlSeconds,
  signing_alg: signingAlg,
  dpop_required: dpopRequired,
}: Pick<
  ResourceServerView,
  'name' | 'access_token_ttl_seconds' | 'signing_alg' | 'dpop_required'
>): ResourceServerSettings => ({
  name,
  accessTokenTtlSeconds,
  signingAlg,
  dpopRequired,
})

/** The resource server, locked, in the version the client means, unless it stays as it is. */
async function holdResourceServer(
  transaction: Transaction,
  id: string,
  ifMatch: string | null,
): Promise<DescribedResourceServer> {
  const server = await lockResourceServer(transaction, id)
  if (!server) throw new Problem('not_found')
  if (server.builtIn) throw new Problem('built_in')
  requireVersion(ifMatch, versionOfResourceServer(viewResourceServer(server)))
  return server
}

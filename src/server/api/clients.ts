// `/clients`: the software that may ask for tokens. They belong to the platform.

import { z } from 'zod'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { generateClientSecret } from '../directory/client-secret.ts'
import {
  addClient,
  deleteClient,
  findClient,
  listClients,
  lockClient,
  type StoredClient,
  updateClient,
} from '../directory/client-store.ts'
import { findUnknownAudiences } from '../directory/resource-server-store.ts'
import { audience, clientId, displayName, jwks, newClientId } from '../directory/schema.ts'
import { toInvalidRequest } from '../http/guard.ts'
import { Problem } from '../http/problem.ts'
import type { Reader, Transaction } from '../ledger/change.ts'
import { type ClientView, clientView, newClientView, versionOfClient, viewClient } from './client-view.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { requirePlatformWide } from './reach.ts'
import { changesOf, isDistinct } from './schema.ts'
import { findDifference, mergeChanges } from './update.ts'
import { requireVersion } from './version.ts'

const MAX_AUDIENCES = 200
const CHANGING = 'Changing clients'

const ofClient = z.object({ client_id: clientId })
const audiences = z
  .array(audience)
  .min(1)
  .max(MAX_AUDIENCES)
  .refine(isDistinct, { error: 'must name each audience once' })
  .nullable()
  .describe('What the client may ask tokens for; null: every resource server')
const grantTypes = z
  .array(z.enum([TOKEN_EXCHANGE_GRANT]))
  .min(1)
  .refine(isDistinct, { error: 'must name each grant type once' })

const base = {
  client_id: newClientId,
  name: displayName,
  audiences: audiences.default(null),
  grant_types: grantTypes.default([TOKEN_EXCHANGE_GRANT]),
}
const newClient = z.discriminatedUnion('token_endpoint_auth_method', [
  z.strictObject({ ...base, token_endpoint_auth_method: z.literal('none') }),
  z.strictObject({
    ...base,
    token_endpoint_auth_method: z.enum(['client_secret_basic', 'client_secret_post']),
  }),
  z.strictObject({ ...base, token_endpoint_auth_method: z.literal('private_key_jwt'), jwks }),
])

const theClient = { description: 'The client', version: versionOfClient }

const list = operation({
  id: 'listClients',
  method: 'get',
  path: '/clients',
  tag: 'Clients',
  summary: 'List clients',
  description: 'By `client_id`.',
  access: 'clients:read',
  query: pageQuery,
  answer: { status: 200, description: 'A page of clients', schema: pageOf(clientView) },
  handle: async ({ query }, { db }) => {
    const after = decodeCursor(query.cursor, clientId)
    const clients = await listClients(db, after?.id ?? null, query.limit + 1)
    return toPage(clients, query.limit, (client) => ({ ...client, id: client.clientId }), viewClient)
  },
})

const create = operation({
  id: 'createClient',
  method: 'post',
  path: '/clients',
  tag: 'Clients',
  summary: 'Create a client',
  description:
    'Takes platform-wide rights. A client that authenticates by a secret gets one, shown once, in this answer. It may ' +
    'ask for tokens at once.',
  access: 'clients:write',
  body: newClient,
  answer: { status: 201, schema: newClientView, ...theClient },
  problems: ['name_taken'],
  handle: ({ caller, body, now, origin }, { change, hashClientSecret }) => {
    requirePlatformWide(caller, CHANGING)
    const secret = body.token_endpoint_auth_method.startsWith('client_secret_')
      ? generateClientSecret()
      : null
    return change(origin, async ({ transaction, record }) => {
      await requireAudiences(transaction, body.audiences)
      const client = {
        clientId: body.client_id,
        builtIn: false,
        name: body.name,
        authMethod: body.token_endpoint_auth_method,
        secretHash: secret === null ? null : hashClientSecret(secret),
        jwks: 'jwks' in body ? body.jwks : null,
        grantTypes: body.grant_types,
        audiences: body.audiences,
      }
      if (!(await addClient(transaction, client, now)))
        throw new Problem('name_taken', 'There is a client of this id')
      const { name, audiences, token_endpoint_auth_method } = body
      const detail = { name, audiences, token_endpoint_auth_method }
      record({ type: 'client.created', target: targetOf(client), detail })
      const view = viewClient({ ...client, createdAt: now })
      return secret === null ? view : { ...view, client_secret: secret }
    })
  },
})

const show = operation({
  id: 'getClient',
  method: 'get',
  path: '/clients/{client_id}',
  tag: 'Clients',
  summary: 'Read a client',
  access: 'clients:read',
  params: ofClient,
  answer: { status: 200, schema: clientView, ...theClient },
  handle: async ({ params }, { db }) => {
    const client = await findClient(db, params.client_id)
    if (!client) throw new Problem('not_found')
    return viewClient(client)
  },
})

const update = operation({
  id: 'updateClient',
  method: 'patch',
  path: '/clients/{client_id}',
  tag: 'Clients',
  summary: 'Change a client',
  description:
    'Takes platform-wide rights, and binds at the next exchange. `jwks` is the whole set of keys, for a client that ' +
    'authenticates by `private_key_jwt`: to replace a key without a gap, give both, and later the new one alone.',
  access: 'clients:write',
  params: ofClient,
  body: changesOf({ name: displayName, audiences, grant_types: grantTypes, jwks }),
  answer: { status: 200, schema: clientView, ...theClient },
  problems: ['built_in'],
  handle: ({ caller, params, body, ifMatch, origin }, { change }) => {
    requirePlatformWide(caller, CHANGING)
    return change(origin, async ({ transaction, record }) => {
      const client = await holdClient(transaction, params.client_id, ifMatch)
      if (body.jwks && client.authMethod !== 'private_key_jwt')
        throw toInvalidRequest([{ path: ['jwks'], message: 'is for a client of private_key_jwt alone' }])
      await requireAudiences(transaction, body.audiences ?? null)
      const before = viewClient(client)
      const { name, audiences, jwks, grant_types: grantTypes } = mergeChanges(before, body)
      const updated = { ...client, name, audiences, jwks, grantTypes }
      const after = viewClient(updated)
      const detail = tellDifference(before, after)
      if (detail) {
        await updateClient(transaction, client.clientId, updated)
        record({ type: 'client.updated', target: targetOf(client), detail })
      }
      return after
    })
  },
})

const remove = operation({
  id: 'deleteClient',
  method: 'delete',
  path: '/clients/{client_id}',
  tag: 'Clients',
  summary: 'Delete a client',
  description: 'Takes platform-wide rights, and binds at the next exchange.',
  access: 'clients:write',
  params: ofClient,
  answer: NO_CONTENT,
  problems: ['built_in', 'precondition_failed'],
  handle: ({ caller, params, ifMatch, origin }, { change }) => {
    requirePlatformWide(caller, CHANGING)
    return change(origin, async ({ transaction, record }) => {
      const client = await holdClient(transaction, params.client_id, ifMatch)
      await deleteClient(transaction, client.clientId)
      record({ type: 'client.deleted', target: targetOf(client), detail: { name: client.name } })
    })
  },
})

export const clientOperations = [list, create, show, update, remove]

const targetOf = (client: { readonly clientId: string }): string => `client:${client.clientId}`

const withoutKeys = ({ jwks, ...others }: ClientView) => others

/** What an update changed, for the audit record: keys are long and may lack an id, so of them only that they changed. */
function tellDifference(before: ClientView, after: ClientView): Record<string, unknown> | null {
  const others = findDifference(withoutKeys(before), withoutKeys(after))
  const keys = findDifference({ jwks: before.jwks }, { jwks: after.jwks }) && { changed: ['jwks'] }
  return others || keys ? { ...others, ...keys } : null
}

/** The client, locked, in the version the caller means, unless it stays as it is. */
async function holdClient(
  transaction: Transaction,
  id: string,
  ifMatch: string | null,
): Promise<StoredClient> {
  const client = await lockClient(transaction, id)
  if (!client) throw new Problem('not_found')
  if (client.builtIn) throw new Problem('built_in')
  requireVersion(ifMatch, versionOfClient(viewClient(client)))
  return client
}

/** 400 when one of them is no resource server's. */
async function requireAudiences(db: Reader, audiences: readonly string[] | null): Promise<void> {
  const unknown = await findUnknownAudiences(db, audiences ?? [])
  if (unknown.length === 0) return
  throw toInvalidRequest(
    unknown.map((one) => ({ path: ['audiences'], message: `there is no resource server ${one}` })),
  )
}

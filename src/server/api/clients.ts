// `/clients`: the software that may ask for tokens. They belong to the platform.

import { z } from 'zod'
import { generateClientSecret } from '../directory/client-secret.ts'
import {
  addClient,
  deleteClient,
  findClient,
  listClients,
  NO_CLIENT_SECRETS_OR_KEYS,
  type StoredClient,
  updateClient,
} from '../directory/client-store.ts'
import { findUnknownAudiences } from '../directory/resource-server-store.ts'
import { clientId } from '../directory/schema.ts'
import { toInvalidRequest } from '../http/guard.ts'
import { Problem } from '../http/problem.ts'
import type { Reader } from '../ledger/change.ts'
import { clientChanges, newClientBody } from './client-body.ts'
import { type ClientView, clientView, newClientView, versionOfClient, viewClient } from './client-view.ts'
import { CHANGING_CLIENTS, holdClient, targetOfClient } from './hold-client.ts'
import { NO_CONTENT, operation } from './operation.ts'
import { decodeCursor, pageOf, pageQuery, toPage } from './page.ts'
import { requirePlatformWide } from './reach.ts'
import { rotateClientSecret } from './rotate-client-secret.ts'
import { findDifference, mergeChanges } from './update.ts'

const ofClient = z.object({ client_id: clientId })

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
  handle: async ({ query, now }, { db }) => {
    const after = decodeCursor(query.cursor, clientId)
    const clients = await listClients(db, after?.id ?? null, query.limit + 1)
    const keyOf = (client: StoredClient) => ({ ...client, id: client.clientId })
    return toPage(clients, query.limit, keyOf, (client) => viewClient(client, now))
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
  body: newClientBody,
  answer: { status: 201, schema: newClientView, ...theClient },
  problems: ['name_taken'],
  handle: ({ caller, body, now, origin }, { change, hashClientSecret }) => {
    requirePlatformWide(caller, CHANGING_CLIENTS)
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
        ...NO_CLIENT_SECRETS_OR_KEYS,
        secretHash: secret === null ? null : hashClientSecret(secret),
        ...(body.token_endpoint_auth_method === 'private_key_jwt' && readKeys(body)),
        grantTypes: body.grant_types,
        audiences: body.audiences,
      }
      if (!(await addClient(transaction, client, now)))
        throw new Problem('name_taken', 'There is a client of this id')
      const { name, audiences, token_endpoint_auth_method } = body
      const { jwksUri } = client
      const detail = {
        name,
        audiences,
        token_endpoint_auth_method,
        ...(jwksUri === null ? {} : { jwks_uri: jwksUri }),
      }
      record({ type: 'client.created', target: targetOfClient(client), detail })
      const view = viewClient({ ...client, createdAt: now }, now)
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
  handle: async ({ params, now }, { db }) => {
    const client = await findClient(db, params.client_id)
    if (!client) throw new Problem('not_found')
    return viewClient(client, now)
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
    'authenticates by `private_key_jwt`: to replace a key without a gap, give both, and later the new one alone. ' +
    '`jwks_uri` takes the place of `jwks`, and the other way round.',
  access: 'clients:write',
  params: ofClient,
  body: clientChanges,
  answer: { status: 200, schema: clientView, ...theClient },
  problems: ['built_in'],
  handle: (call, { change }) => {
    const { caller, body, now, origin } = call
    requirePlatformWide(caller, CHANGING_CLIENTS)
    return change(origin, async ({ transaction, record }) => {
      const client = await holdClient(transaction, call)
      requireKeysFor(client, body)
      await requireAudiences(transaction, body.audiences ?? null)
      const { jwks: _jwks, jwks_uri: _jwksUri, grant_types: grantTypes, ...changes } = body
      const given = { ...changes, ...(grantTypes && { grantTypes }), ...(hasKeys(body) && readKeys(body)) }
      const updated = mergeChanges(client, given)
      const after = viewClient(updated, now)
      const detail = tellDifference(viewClient(client, now), after)
      if (detail) {
        await updateClient(transaction, client.clientId, updated)
        record({ type: 'client.updated', target: targetOfClient(client), detail })
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
  handle: (call, { change }) => {
    requirePlatformWide(call.caller, CHANGING_CLIENTS)
    return change(call.origin, async ({ transaction, record }) => {
      const client = await holdClient(transaction, call)
      await deleteClient(transaction, client.clientId)
      record({ type: 'client.deleted', target: targetOfClient(client), detail: { name: client.name } })
    })
  },
})

export const clientOperations = [list, create, show, update, rotateClientSecret, remove]

interface GivenKeys {
  readonly jwks?: StoredClient['jwks'] | undefined
  readonly jwks_uri?: string | undefined
}

const hasKeys = ({ jwks, jwks_uri }: GivenKeys): boolean => jwks !== undefined || jwks_uri !== undefined

/** One of the two is given, and takes the place of the other. */
const readKeys = ({ jwks, jwks_uri }: GivenKeys) => ({ jwks: jwks ?? null, jwksUri: jwks_uri ?? null })

/** 400 when keys are given to a client that does not authenticate by them. */
function requireKeysFor({ authMethod }: StoredClient, given: GivenKeys): void {
  if (authMethod === 'private_key_jwt' || !hasKeys(given)) return
  const path = [given.jwks === undefined ? 'jwks_uri' : 'jwks']
  throw toInvalidRequest([{ path, message: 'is for a client of private_key_jwt alone' }])
}

const withoutKeys = ({ jwks, ...others }: ClientView) => others

/** What an update changed, for the audit record: keys are long and may lack an id, so of them only that they changed. */
function tellDifference(before: ClientView, after: ClientView): Record<string, unknown> | null {
  const others = findDifference(withoutKeys(before), withoutKeys(after))
  const keys = findDifference({ jwks: before.jwks }, { jwks: after.jwks }) && { changed: ['jwks'] }
  return others || keys ? { ...others, ...keys } : null
}

/** 400 when one of them is no resource server's. */
async function requireAudiences(db: Reader, audiences: readonly string[] | null): Promise<void> {
  const unknown = await findUnknownAudiences(db, audiences ?? [])
  if (unknown.length === 0) return
  throw toInvalidRequest(
    unknown.map((one) => ({ path: ['audiences'], message: `there is no resource server ${one}` })),
  )
}

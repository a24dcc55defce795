// Names meant to break something, wherever people give one: kept as written or refused, never a fault, and one line in the
// log for each request.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API } from '../support/acme.ts'
import { type AttackedServer, startAttackedServer } from '../support/attacked-server.ts'
import { HOSTILE } from '../support/hostile.ts'
import type { Targets } from '../support/operation-samples.ts'
import { type Answer, requestExchange } from '../support/requests.ts'

let server: AttackedServer
let targets: Targets
let call: AttackedServer['call']
beforeAll(async () => {
  server = await startAttackedServer()
  ;({ targets, call } = server)
})
afterAll(() => server.stop())

const unique = (): string => randomBytes(6).toString('hex')

interface Place {
  readonly what: string
  /** Writes the name; gives where it can be read, and what takes it back where it would be in the way. */
  readonly write: (name: string) => Promise<{ answer: Answer; path: string; undo?: string }>
}

const creation = (what: string, path: () => string, body: () => Record<string, unknown>): Place => ({
  what,
  write: async (name) => {
    const answer = await call('POST', path(), { ...body(), name })
    const id = String(answer.json['id'] ?? answer.json['slug'])
    return { answer, path: `${path()}/${id}` }
  },
})

const change = (what: string, path: () => string, token?: () => string): Place => ({
  what,
  write: async (name) => ({ answer: await call('PATCH', path(), { name }, token?.()), path: path() }),
})

/** Wherever people give a name to something. */
const PLACES: readonly Place[] = [
  {
    what: 'a PAT',
    write: async (name) => {
      const answer = await call('POST', `/users/${targets.userId}/tokens`, { name })
      const path = `/organizations/acme/tokens/${answer.json['id']}`
      return { answer, path, undo: path }
    },
  },
  {
    what: 'an API key',
    write: async (name) => {
      const answer = await call('POST', '/organizations/acme/keys', { name, role: 'analyst' })
      const path = `/organizations/acme/keys/${answer.json['id']}`
      return { answer, path, undo: path }
    },
  },
  creation(
    'a user',
    () => '/users',
    () => ({ email: `${unique()}@acme.test` }),
  ),
  {
    what: 'an organization',
    write: async (name) => {
      const slug = unique()
      return { answer: await call('POST', '/organizations', { slug, name }), path: `/organizations/${slug}` }
    },
  },
  creation(
    'a resource server',
    () => '/resource-servers',
    () => ({
      audience: `https://${unique()}.example.com`,
      scopes: { 'a:read': 'Read' },
    }),
  ),
  {
    what: 'a client',
    write: async (name) => {
      const client_id = unique()
      const body = { client_id, name, token_endpoint_auth_method: 'none' }
      return { answer: await call('POST', '/clients', body), path: `/clients/${client_id}` }
    },
  },
  change(
    'a PAT, renamed',
    () => `/tokens/${targets.credentialId}`,
    () => server.acme.janePat,
  ),
  change('an API key, renamed', () => `/organizations/acme/keys/${targets.keyId}`),
  change('a user, renamed', () => `/users/${targets.userId}`),
  change('an organization, renamed', () => '/organizations/acme'),
  change('a resource server, renamed', () => `/resource-servers/${targets.resourceServerId}`),
  change('a client, renamed', () => '/clients/orders-service'),
]

describe('a name', () => {
  it.each(PLACES)('of $what is kept to the last bit, or refused', async ({ write }) => {
    for (const { what, text, isName } of HOSTILE) {
      const { answer, path, undo } = await write(text)
      const readBack = async () => (await call('GET', path, undefined, ownerOf(path))).json['name']
      if (isName) {
        expect([what, answer.status < 300, answer.json['name']]).toEqual([what, true, text])
        expect([what, await readBack()]).toEqual([what, text])
      } else {
        expect([what, answer.status, answer.json['code']]).toEqual([what, 400, 'invalid_request'])
      }
      if (undo !== undefined && isName) await call('DELETE', undo)
    }
  })

  it.each(['/users/:id/tokens', '/organizations/acme/keys'])(
    'of a credential has at most 100 characters, whatever each takes: %s',
    async (template) => {
      const path = template.replace(':id', targets.userId)
      const body = (name: string) => ({ name, ...(path.endsWith('keys') ? { role: 'analyst' } : {}) })
      expect((await call('POST', path, body('👩'.repeat(100)))).status).toBe(201)
      expect((await call('POST', path, body('👩'.repeat(101)))).status).toBe(400)
    },
  )
})

/** A PAT is looked at by its holder, all else by the admin. */
const ownerOf = (path: string): string =>
  path.startsWith('/tokens/') ? server.acme.janePat : server.acme.adminToken

describe('the log', () => {
  it('has one line for each of these requests, and nothing else', () => {
    const { calls, problems } = server.readLog()
    expect(problems).toEqual([])
    expect(calls).toBeGreaterThan(500)
  })
})

// After the log: exchanges are none of the calls it is compared with.
describe('a client', () => {
  it.each(['__proto__', 'constructor', 'toString', 'null'])(
    'called %s is one like any other',
    async (client_id) => {
      const body = { client_id, name: 'Odd', token_endpoint_auth_method: 'none' }
      expect((await call('POST', '/clients', body)).status).toBe(201)
      const form = { client_id, subject_token: server.acme.samPat, audience: API }
      expect((await requestExchange(server.acme.url, form)).status).toBe(200)
      expect((await call('DELETE', `/clients/${client_id}`)).status).toBe(204)
      expect((await requestExchange(server.acme.url, form)).json['error']).toBe('invalid_client')
    },
  )
})

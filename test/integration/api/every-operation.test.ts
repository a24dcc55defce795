// Every operation of the OpenAPI document is called: once with success, without a credential, and without the scope.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Operation } from '../../../src/server/api/operation.ts'
import { OPERATIONS } from '../../../src/server/api/operations.ts'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { OPERATION_IDS, operationIdOf } from '../../support/api-contract.ts'
import { canary } from '../../support/evidence.ts'
import { callApi } from '../../support/requests.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { type SignedIn, serveSignedIn } from '../../support/signed-in.ts'
import { RESOURCE_METADATA } from '../../support/test-server.ts'

let acme: Acme
let sam: SignedIn
/** May do one thing, and nothing of this API. */
let narrow = ''
beforeAll(async () => {
  const secretKey = newSecretKey()
  acme = await startAcme({ PATMINT_SECRET_KEY: secretKey })
  sam = await serveSignedIn(acme, acme.samPat, secretKey)
  narrow = await acme.issue('sam@acme.test', {
    name: 'narrow',
    permissions: [{ audience: API, scopes: ['models:read'] }],
  })
})
afterAll(async () => {
  await sam.stop()
  await acme.stop()
})

type Values = Readonly<Record<string, string>>
const idOf = (credential: string): string => credential.slice(4, 20)
const fill = ({ path }: Operation, values: Values): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))

interface Attempt {
  readonly params?: Values
  readonly body?: unknown
  readonly token?: string
  readonly url?: string
}

/** Calls operations, each with the status it declares for success, and keeps count. */
class Walk {
  readonly done = new Set<string>()

  async call(id: string, { params = {}, body, token = acme.adminToken, url = acme.url }: Attempt = {}) {
    const operation = OPERATIONS.find((one) => one.id === id)
    if (!operation) throw new Error(`there is no operation ${id}`)
    const path = fill(operation, params)
    expect(operationIdOf(operation.method, path)).toBe(id)
    const bearer = operation.access === 'public' ? undefined : token
    const answer = await callApi(url, bearer, operation.method.toUpperCase(), path, body)
    expect([id, answer.status, answer.text]).toEqual([id, operation.answer.status, answer.text])
    for (const secret of ['token', 'client_secret'])
      if (typeof answer.json[secret] === 'string') canary(answer.json[secret])
    this.done.add(id)
    return answer.json as Record<string, string>
  }
}

const AUDIENCE = 'https://walk.example.com'

async function walkOrganization(walk: Walk): Promise<string> {
  const params = { slug: 'walk' }
  await walk.call('createOrganization', { body: { slug: 'walk', name: 'Walk' } })
  await walk.call('listOrganizations')
  await walk.call('getOrganization', { params })
  await walk.call('updateOrganization', { params, body: { name: 'Walk on' } })
  const { id = '' } = await walk.call('createResourceServer', {
    body: { audience: AUDIENCE, name: 'Walk', scopes: { 'x:read': 'Read x' } },
  })
  await walk.call('listResourceServers')
  await walk.call('getResourceServer', { params: { id } })
  await walk.call('updateResourceServer', { params: { id }, body: { name: 'Walk on' } })
  const role = { params: { slug: 'walk', name: 'walker' } }
  const permissions = [{ audience: AUDIENCE, scopes: ['x:read'] }]
  await walk.call('createRole', { params, body: { name: 'walker', permissions } })
  await walk.call('listRoles', { params })
  await walk.call('getRole', role)
  await walk.call('updateRole', { ...role, body: { permissions } })
  return id
}

async function walkClient(walk: Walk): Promise<void> {
  const params = { client_id: 'walker' }
  const body = {
    client_id: 'walker',
    name: 'Walker',
    token_endpoint_auth_method: 'client_secret_basic',
    audiences: null,
  }
  await walk.call('createClient', { body })
  await walk.call('listClients')
  await walk.call('getClient', { params })
  await walk.call('updateClient', { params, body: { name: 'Walker on' } })
  await walk.call('rotateClientSecret', { params, body: { overlap_seconds: 60 } })
  await walk.call('deleteClient', { params })
}

async function walkUser(walk: Walk): Promise<string> {
  const { id = '' } = await walk.call('createUser', { body: { email: 'wanda@walk.test', name: 'Wanda' } })
  const params = { user_id: id }
  await walk.call('listUsers')
  await walk.call('getUser', { params })
  await walk.call('updateUser', { params, body: { name: 'Wanda W' } })
  const member = { params: { slug: 'walk', user_id: id } }
  await walk.call('addMember', { params: { slug: 'walk' }, body: { user_id: id, role: 'walker' } })
  await walk.call('listMembers', { params: { slug: 'walk' } })
  await walk.call('getMember', member)
  await walk.call('updateMember', { ...member, body: { role: 'member' } })
  return id
}

async function walkTokens(walk: Walk, userId: string): Promise<void> {
  await walk.call('createToken', { url: sam.url, body: { name: 'signed in' } })
  const issued = await walk.call('issueUserToken', { params: { user_id: userId }, body: { name: 'walk' } })
  const token = issued['token'] ?? ''
  const own = { params: { id: idOf(token) }, token }
  await walk.call('listTokens', { token })
  await walk.call('getToken', own)
  await walk.call('renameToken', { ...own, body: { name: 'walk on' } })
  const successor = await walk.call('rotateToken', { ...own, body: { overlap_seconds: 60 } })
  await walk.call('revokeToken', own)
  const params = { slug: 'walk', id: successor['id'] ?? '' }
  await walk.call('listOrganizationTokens', { params })
  await walk.call('getOrganizationToken', { params })
  await walk.call('revokeOrganizationToken', { params })
}

async function walkKeys(walk: Walk): Promise<void> {
  const params = { slug: 'walk' }
  const { id = '', token = '' } = await walk.call('createKey', {
    params,
    body: { name: 'walk', role: 'admin' },
  })
  const ofKey = { params: { slug: 'walk', id } }
  await walk.call('listKeys', { params })
  await walk.call('getKey', ofKey)
  await walk.call('renameKey', { ...ofKey, body: { name: 'walk on' } })
  await walk.call('rotateKey', { ...ofKey, token, body: { overlap_seconds: 60 } })
  await walk.call('revokeKey', ofKey)
}

async function walkSigningKeys(walk: Walk): Promise<void> {
  await walk.call('listSigningKeys')
  const { published } = (await walk.call('rotateSigningKeys', { body: { algs: ['EdDSA'] } })) as unknown as {
    published: { kid: string }[]
  }
  const ofKey = { params: { kid: published[0]?.kid ?? '' } }
  await walk.call('getSigningKey', ofKey)
  await walk.call('withdrawSigningKey', ofKey)
}

async function walkPolicies(walk: Walk): Promise<void> {
  const body = {
    max_lifetime_seconds: null,
    default_lifetime_seconds: null,
    idle_timeout_seconds: null,
    access_token_max_ttl_seconds: 600,
    max_active_tokens: 10,
    applies_to: 'all',
    exempt_roles: [],
  }
  for (const level of ['Platform', 'Organization']) {
    const params = { slug: 'walk' }
    await walk.call(`get${level}Policy`, { params })
    await walk.call(`preview${level}Policy`, { params, body })
    await walk.call(`replace${level}Policy`, { params, body })
    await walk.call(`list${level}PolicyVersions`, { params })
    await walk.call(`preview${level}PolicyVersion`, { params: { slug: 'walk', number: '1' } })
    await walk.call(`restore${level}Policy`, { params: { slug: 'walk', number: '1' }, body: {} })
  }
}

async function walkEnd(walk: Walk, userId: string, resourceServerId: string): Promise<void> {
  const params = { slug: 'walk', user_id: userId }
  const before = { created_before: '2020-01-01T00:00:00Z' }
  await walk.call('revokeOrganizationTokens', { params, body: { all: true } })
  await walk.call('revokeUserTokens', { params, body: { all: true } })
  await walk.call('revokePlatformTokens', { body: before })
  await walk.call('reportLeaks', { body: { credentials: ['pat_0'] } })
  await walk.call('removeMember', { params })
  await walk.call('deleteRole', { params: { slug: 'walk', name: 'walker' } })
  await walk.call('deleteResourceServer', { params: { id: resourceServerId } })
  await walk.call('deleteUser', { params })
  await walk.call('deleteOrganization', { params })
}

describe('every operation of the document', () => {
  it('has been called with success, and answered what it declares', async () => {
    const walk = new Walk()
    await walk.call('getMe')
    const resourceServerId = await walkOrganization(walk)
    await walkClient(walk)
    const userId = await walkUser(walk)
    await walkTokens(walk, userId)
    await walkKeys(walk)
    await walkPolicies(walk)
    await walkSigningKeys(walk)
    await walk.call('listAuditEvents')
    await walk.call('listNotices')
    // It takes a notice that failed: test/integration/notices has one.
    walk.done.add('retryNotice')
    await walk.call('explainExchange', { body: { credential: idOf(acme.samPat) } })
    await walkEnd(walk, userId, resourceServerId)
    expect([...walk.done].sort()).toEqual([...OPERATION_IDS].sort())
  })
})

const NAMES = ['0123456789abcdef', '0198c1f0-0000-7000-8000-000000000001', 'acme', 'k'.repeat(43), '1']

/** Values for the path of an operation that it would look up. */
function plausible({ params }: Operation): Values {
  const shape = (params?.shape ?? {}) as Record<
    string,
    { safeParse: (value: string) => { success: boolean } }
  >
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [
      name,
      NAMES.find((value) => schema.safeParse(value).success) ?? '',
    ]),
  )
}

const attempt = (operation: Operation, token: string | undefined) =>
  callApi(acme.url, token, operation.method.toUpperCase(), fill(operation, plausible(operation)))

const AUTHENTICATED = OPERATIONS.filter(({ access }) => access !== 'public')
const SCOPED = AUTHENTICATED.filter(({ access }) => access !== 'any_caller')

describe('an operation that takes authentication', () => {
  it.each(AUTHENTICATED.map((operation) => [operation.id, operation] as const))(
    '%s answers 401 to a caller without a credential',
    async (_, operation) => {
      const { status, json, headers } = await attempt(operation, undefined)
      expect([status, json['code'], headers.get('www-authenticate')]).toEqual([
        401,
        'unauthorized',
        `Bearer ${RESOURCE_METADATA}`,
      ])
    },
  )

  it.each(SCOPED.map((operation) => [operation.id, operation] as const))(
    '%s answers 403 to a caller without its scope, and names it',
    async (_, operation) => {
      const { status, json, headers } = await attempt(operation, narrow)
      expect([status, json['code'], json['detail']]).toEqual([
        403,
        'forbidden',
        `The scope ${operation.access} is needed`,
      ])
      expect(headers.get('www-authenticate')).toBe(
        `Bearer error="insufficient_scope", scope="${operation.access}", ${RESOURCE_METADATA}`,
      )
    },
  )

  it('is every one but those that are public on purpose', () => {
    const open = OPERATIONS.filter(({ access }) => access === 'public').map(({ id }) => id)
    expect(open).toEqual(['reportLeaks'])
    const free = AUTHENTICATED.filter(({ access }) => access === 'any_caller').map(({ id }) => id)
    expect(free).toEqual(['getMe', 'explainExchange'])
  })
})

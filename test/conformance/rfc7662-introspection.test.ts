// RFC 7662, token introspection: of access tokens (RFC 9068) and of credentials, for clients that prove who they are.

import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import {
  allowInsecureRequests,
  ClientSecretBasic,
  customFetch,
  introspectionRequest,
  processIntrospectionResponse,
} from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../src/protocol/credential.ts'
import {
  type Acme,
  API,
  mistype,
  ORDERS_BASIC,
  ORDERS_SECRET,
  REPORTS,
  startAcme,
  withAnotherSecret,
} from '../support/acme.ts'
import { type Assert, registerAssertionClient } from '../support/assertion-client.ts'
import { canary } from '../support/evidence.ts'
import {
  type Answer,
  callApi,
  type Form,
  requestExchange,
  requestIntrospection,
  requestRevocation,
} from '../support/requests.ts'
import { ISSUER } from '../support/test-server.ts'

let acme: Acme
/** Makes assertions of a client that sees every audience. */
let assert: Assert
beforeAll(async () => {
  acme = await startAcme()
  assert = await registerAssertionClient(acme)
})
afterAll(() => acme.stop())

const introspect = (token: string, form: Form = {}, headers: Record<string, string> = {}) =>
  requestIntrospection(acme.url, { token, ...form }, { Authorization: ORDERS_BASIC, ...headers })

/** As the client that sees every audience. */
const introspectWidely = async (token: string) =>
  requestIntrospection(acme.url, { token, ...(await assert()) })

async function exchange(subject_token: string, audience: string | string[], scope?: string): Promise<string> {
  const answer = await requestExchange(acme.url, { subject_token, audience, scope })
  if (answer.status !== 200) throw new Error(answer.text)
  return canary(String(answer.json['access_token']))
}

const spare = (email = 'jane@acme.test', body: Record<string, unknown> = {}) =>
  acme.issue(email, { name: `spare ${randomBytes(4).toString('hex')}`, ...body })

const idOf = (pat: string): string => pat.slice(4, 20)

const expectInactive = (answer: Answer): void => {
  expect([answer.status, answer.text]).toEqual([200, '{"active":false}'])
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

const expectError = (answer: Answer, status: number, error: string, description: string): void => {
  expect([answer.status, answer.json]).toEqual([status, { error, error_description: description }])
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

const refusedClient = [401, 'invalid_client', 'client authentication failed'] as const

describe('introspection of an access token (section 2.2, RFC 9068 section 2.2)', () => {
  it('says what the token says', async () => {
    const token = await exchange(acme.janePat, API)
    const answer = await introspect(token)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.json).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) })
  })

  it('says the granted authorization details (RFC 9396 section 9.2)', async () => {
    const details = [{ type: 'models', identifier: 'm1', actions: ['read'], locations: [API] }]
    const { json } = await requestExchange(acme.url, {
      subject_token: acme.janePat,
      authorization_details: JSON.stringify(details),
    })
    const answer = await introspect(String(json['access_token']))
    expect(answer.json).toMatchObject({
      active: true,
      scope: 'models/m1:read',
      authorization_details: details,
    })
  })

  it('says details that lie within a wider scope of the same token', async () => {
    const details = [{ type: 'models', identifier: 'm1', actions: ['read'], locations: [API] }]
    const { json } = await requestExchange(acme.url, {
      subject_token: acme.janePat,
      scope: 'models:read',
      authorization_details: JSON.stringify(details),
    })
    const answer = await introspect(String(json['access_token']))
    expect(answer.json['authorization_details']).toEqual(details)
  })

  it('is understood by a client library', async () => {
    const token = await exchange(acme.janePat, API)
    const server = { issuer: ISSUER, introspection_endpoint: `${acme.url}/oauth2/introspect` }
    const client = { client_id: 'orders-service' }
    const response = await introspectionRequest(server, client, ClientSecretBasic(ORDERS_SECRET), token, {
      [allowInsecureRequests]: true,
      [customFetch]: fetch,
    })
    const { active, sub } = await processIntrospectionResponse(server, client, response)
    expect({ active, sub }).toEqual({ active: true, sub: decodeJwt(token).sub })
  })

  it('is inactive once it has expired, to the second', async () => {
    const token = await exchange(acme.janePat, API)
    const { exp = 0 } = decodeJwt(token)
    acme.setClock(() => new Date(exp * 1000 - 1000))
    expect((await introspect(token)).json['active']).toBe(true)
    acme.setClock(() => new Date(exp * 1000))
    expectInactive(await introspect(token))
    acme.setClock(() => new Date())
  })

  it('is inactive once its credential is revoked', async () => {
    const pat = await spare()
    const token = await exchange(pat, API)
    expect((await introspect(token)).json['active']).toBe(true)
    await requestRevocation(acme.url, { token: pat })
    expectInactive(await introspect(token))
  })

  it('is inactive once it is revoked itself, and another token of the same credential is not', async () => {
    const [token, other] = [await exchange(acme.janePat, API), await exchange(acme.janePat, API)]
    await requestRevocation(acme.url, { token })
    expectInactive(await introspect(token))
    expect((await introspect(other)).json['active']).toBe(true)
  })

  it('says only what its owner may still do, and nothing when that is nothing', async () => {
    const token = await exchange(acme.samPat, API, 'models:read models:write')
    const roleOf = async (role: string): Promise<void> => {
      const sam = acme.db.selectFrom('users').select('id').where('email', '=', 'sam@acme.test')
      const chosen = acme.db.selectFrom('roles').select('id').where('name', '=', role).limit(1)
      await acme.db.updateTable('memberships').set({ role_id: chosen }).where('user_id', '=', sam).execute()
    }
    await roleOf('analyst')
    expect((await introspect(token)).json).toMatchObject({ active: true, scope: 'models:read' })
    await roleOf('member')
    expectInactive(await introspect(token))
    await roleOf('engineer')
    expect((await introspect(token)).json['scope']).toBe('models:read models:write')
  })

  it('does not ask where it is used, unlike for its credential', async () => {
    const far = await spare('jane@acme.test', { allowed_cidrs: ['127.0.0.0/8'] })
    const token = await exchange(far, API)
    await acme.db
      .updateTable('credentials')
      .set({ allowed_cidrs: ['192.0.2.0/24'] })
      .where('id', '=', idOf(far))
      .execute()
    expect((await introspect(token)).json['active']).toBe(true)
    expectInactive(await introspect(far))
  })
})

describe('introspection of a credential (section 2.2)', () => {
  it('says what it reaches of the audiences the client sees', async () => {
    const pat = await spare('sam@acme.test', { expires_in_seconds: 3600 })
    const row = await acme.db
      .selectFrom('credentials')
      .select(['owner_id', 'created_at', 'expires_at'])
      .where('id', '=', idOf(pat))
      .executeTakeFirstOrThrow()
    const toSeconds = (instant: Date | null): number => Math.floor(Number(instant) / 1000)
    const told = {
      active: true,
      iss: ISSUER,
      sub: row.owner_id,
      iat: toSeconds(row.created_at),
      exp: toSeconds(row.expires_at),
      token_type: 'Bearer',
      org: 'acme',
      cred: idOf(pat),
    }
    const scopes = ['datasets:read', 'models:read', 'models:write']
    expect((await introspect(pat)).json).toEqual({
      ...told,
      aud: API,
      scope: scopes.join(' '),
      permissions: [{ audience: API, scopes }],
    })
    // A scope of one audience is none of the other: what they do not share stands with its audience alone.
    const wide = (await introspectWidely(pat)).json
    expect(wide).toEqual({
      ...told,
      aud: expect.arrayContaining([API, REPORTS]),
      permissions: expect.arrayContaining([
        { audience: API, scopes },
        { audience: REPORTS, scopes: ['reports:read'] },
      ]),
    })
  })

  it('of an API key says its organization, and when a policy ends it', async () => {
    const made = await callApi(acme.url, acme.adaPat, 'POST', '/organizations/acme/keys', {
      name: 'introspected',
      role: 'engineer',
    })
    const key = canary(String(made.json['token']))
    const { json } = await introspect(key)
    expect(json).toMatchObject({ active: true, sub: `key:${idOf(key)}`, org: 'acme' })
    expect(json['exp']).toBe(Math.floor(Date.parse(String(made.json['effective_expires_at'])) / 1000))
  })

  it('counts as its use', async () => {
    const pat = await spare()
    await introspect(pat)
    const seen = await callApi(acme.url, acme.janePat, 'GET', `/tokens/${idOf(pat)}`)
    expect(seen.json['last_used_ip']).toBe('127.0.0.1')
  })
})

describe('what is not active for the client', () => {
  it('is {"active":false} and nothing else, whatever it is', async () => {
    const reports = await exchange(acme.samPat, REPORTS)
    const token = await exchange(acme.janePat, API)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`
    const revoked = await spare()
    await requestRevocation(acme.url, { token: revoked })
    for (const inactive of [
      reports,
      acme.adaPat,
      revoked,
      withAnotherSecret(acme.janePat),
      mistype(acme.janePat),
      acme.janePat.replace('pat_', 'key_'),
      canary(generateCredential('personal', randomBytes).reveal()),
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${token}==`,
      unsigned,
      `${header}.${payload}`,
      'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
      'garbage',
      '\0',
      '💥',
      'x'.repeat(20_000),
    ])
      expectInactive(await introspect(inactive))
    expect((await introspectWidely(reports)).json['active']).toBe(true)
  })

  it('of a token for several audiences is what the client does not see', async () => {
    const shared = ['https://one.example.com', 'https://two.example.com']
    for (const audience of shared)
      await callApi(acme.url, acme.adminToken, 'POST', '/resource-servers', {
        audience,
        name: audience,
        scopes: { 'models:read': 'Read' },
      })
    const role = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/roles', {
      name: 'shared',
      permissions: shared.map((audience) => ({ audience, scopes: ['models:read'] })),
    })
    expect(role.status).toBe(201)
    await acme.db
      .updateTable('clients')
      .set({ audiences: [API, String(shared[0])] })
      .where('client_id', '=', 'orders-service')
      .execute()
    const made = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/keys', {
      name: 'shared',
      role: 'shared',
    })
    const token = await exchange(canary(String(made.json['token'])), shared)
    expect((await introspect(token)).json).toMatchObject({ aud: shared[0], scope: 'models:read' })
    expect((await introspectWidely(token)).json).toMatchObject({ aud: expect.arrayContaining(shared) })
  })
})

describe('a request (section 2.1)', () => {
  it.each(['access_token', 'refresh_token', 'urn:patmint:token-type:pat', 'nonsense', ''])(
    'is answered alike whatever the hint %j says',
    async (token_type_hint) => {
      for (const token of [acme.janePat, await exchange(acme.janePat, API)])
        expect((await introspect(token, { token_type_hint })).json['active']).toBe(true)
    },
  )

  it.each<[string, Form]>([
    ['without a token', {}],
    ['with an empty token', { token: '' }],
  ])('is refused %s', async (_name, form) => {
    const answer = await requestIntrospection(acme.url, form, { Authorization: ORDERS_BASIC })
    expectError(answer, 400, 'invalid_request', "missing required parameter 'token'")
  })

  it('is refused with a parameter twice', async () => {
    for (const form of [{ token: ['a', 'b'] }, { token: 'a', token_type_hint: ['a', 'b'] }]) {
      const answer = await requestIntrospection(acme.url, form, { Authorization: ORDERS_BASIC })
      expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_request'])
    }
  })

  it('takes the token from the form alone', async () => {
    const url = `${acme.url}/oauth2/introspect?token=${acme.janePat}`
    const headers = { Authorization: ORDERS_BASIC }
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(400)
    expect((await fetch(url, { headers })).status).toBe(405)
  })

  it('is refused as JSON', async () => {
    const answer = await introspect(acme.janePat, {}, { 'Content-Type': 'application/json' })
    expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_request'])
  })
})

describe('the client (section 2.1)', () => {
  it('authenticates itself as at the token endpoint', async () => {
    const secret = { client_id: 'orders-service', client_secret: ORDERS_SECRET }
    for (const [form, headers] of [
      [{}, { Authorization: ORDERS_BASIC }],
      [secret, {}],
      [await assert(), {}],
    ] as const) {
      const answer = await requestIntrospection(acme.url, { token: acme.janePat, ...form }, headers)
      expect(answer.json['active']).toBe(true)
    }
  })

  it('is refused when it cannot, and learns nothing of the token', async () => {
    const wrong = `Basic ${Buffer.from('orders-service:wrong').toString('base64')}`
    for (const [form, headers] of [
      [{ client_id: 'patmint-cli' }, {}],
      [{ client_id: 'nobody' }, {}],
      [{ client_id: 'orders-service' }, {}],
      [{ client_id: 'orders-service', client_secret: 'wrong' }, {}],
      [{}, { Authorization: wrong }],
    ] as const)
      for (const token of [acme.janePat, await exchange(acme.janePat, API), 'garbage'])
        expectError(await requestIntrospection(acme.url, { token, ...form }, headers), ...refusedClient)
    const challenged = await introspect(acme.janePat, {}, { Authorization: wrong })
    expect(challenged.headers.get('www-authenticate')).toMatch(/^Basic realm="https:\/\/sts\.example\.test"/)
  })

  it('is refused with an assertion it has used before', async () => {
    const form = { token: acme.janePat, ...(await assert()) }
    expect((await requestIntrospection(acme.url, form)).json['active']).toBe(true)
    expectError(await requestIntrospection(acme.url, form), ...refusedClient)
  })

  it('is none that nothing names', async () => {
    const answer = await requestIntrospection(acme.url, { token: acme.janePat })
    expectError(answer, 400, 'invalid_request', 'no client authentication mechanism provided')
  })
})

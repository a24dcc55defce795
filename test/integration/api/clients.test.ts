import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOKEN_EXCHANGE_GRANT } from '../../../src/protocol/urn.ts'
import { type Acme, API, REPORTS, startAcme } from '../../support/acme.ts'
import { createAssertionKey } from '../../support/assertion-client.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'
import { ISSUER } from '../../support/test-server.ts'

let acme: Acme
/** PAT of somebody whose role in acme has every scope for clients, and does not reach further. */
let clerkPat: string
beforeAll(async () => {
  acme = await startAcme()
  const file = join(newDataDir(), 'clerk.yaml')
  writeFileSync(
    file,
    `
roles:
  - organization: acme
    name: clerk
    permissions: [{ audience: "${ISSUER}/api", scopes: ["clients:*"] }]
users: [{ email: clerk@acme.test, name: Clerk, memberships: [{ organization: acme, role: clerk }] }]
`,
  )
  await acme.apply([file])
  clerkPat = await acme.issue('clerk@acme.test', { name: 'laptop' })
})
afterAll(() => acme.stop())

/** As the platform's admin. */
const call = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const answer = await callApi(acme.url, acme.adminToken, method, path, body, headers)
  if (typeof answer.json['client_secret'] === 'string') canary(answer.json['client_secret'])
  return answer
}

const PUBLIC = { name: 'A client', token_endpoint_auth_method: 'none' }
const BASIC = { name: 'A client', token_endpoint_auth_method: 'client_secret_basic' }

const create = (client_id: string, body: Record<string, unknown> = PUBLIC) =>
  call('POST', '/clients', { client_id, ...body })

const outcome = ({ status, json }: Answer) => [status, json['code'], json['detail']]

const basic = (id: string, secret: unknown) => ({
  Authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${secret}`).toString('base64')}`,
})

/** An exchange of Sam's PAT by a client that authenticates by these headers or members. */
const exchange = (form: Record<string, string | undefined>, headers: Record<string, string> = {}) =>
  requestExchange(acme.url, { subject_token: acme.samPat, audience: API, ...form }, headers)

const listEvents = (target: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'detail'])
    .where('target', '=', target)
    .orderBy('id')
    .execute()

const adminId = async () => (await call('GET', '/me')).json['subject']

describe('POST /clients', () => {
  it('makes a client that authenticates by a secret, shown once, and exchanges with it at once', async () => {
    const answer = await create('Basic_1.~x', { ...BASIC, audiences: [API] })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { client_secret, ...client } = answer.json
    expect(client_secret).toMatch(/^patmint_cs_[0-9a-f]{72}$/)
    expect(client).toEqual({
      client_id: 'Basic_1.~x',
      name: 'A client',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: [TOKEN_EXCHANGE_GRANT],
      audiences: [API],
      jwks: null,
      jwks_uri: null,
      previous_secret_until: null,
      built_in: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    })
    const shown = await call('GET', '/clients/Basic_1.~x')
    expect(shown.json).toEqual(client)
    expect(shown.headers.get('etag')).toBe(answer.headers.get('etag'))

    const id = 'Basic_1.~x'
    expect((await exchange({ client_id: undefined }, basic(id, client_secret))).status).toBe(200)
    const elsewhere = await exchange({ client_id: undefined, audience: REPORTS }, basic(id, client_secret))
    expect([elsewhere.status, elsewhere.json['error']]).toEqual([400, 'invalid_target'])
    const wrong = await exchange({ client_id: undefined }, basic(id, `${client_secret}x`))
    expect([wrong.status, wrong.json['error']]).toEqual([401, 'invalid_client'])
  })

  it('makes one whose secret stands in the body', async () => {
    const { json } = await create('post', { ...BASIC, token_endpoint_auth_method: 'client_secret_post' })
    const answer = await exchange({ client_id: 'post', client_secret: String(json['client_secret']) })
    expect(answer.status).toBe(200)
  })

  it('makes one that authenticates by a key of its own, and gets no secret', async () => {
    const { jwk, assert } = await createAssertionKey('robot', ISSUER)
    const jwks = { keys: [jwk] }
    const answer = await create('robot', {
      name: 'Robot',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks,
    })
    expect([answer.status, answer.json['jwks']]).toEqual([201, jwks])
    expect(answer.json).not.toHaveProperty('client_secret')
    expect((await exchange(await assert())).status).toBe(200)
    expect((await call('GET', '/clients/robot')).json['jwks']).toEqual(jwks)
  })

  it('makes a public one, which may ask for every resource server', async () => {
    const answer = await create('public')
    expect(answer.json).toMatchObject({ audiences: null, jwks: null })
    expect(answer.json).not.toHaveProperty('client_secret')
    for (const audience of [API, REPORTS])
      expect((await exchange({ client_id: 'public', audience })).status).toBe(200)
  })

  it('keeps no secret, and records who made the client', async () => {
    const { json } = await create('recorded', BASIC)
    const row = await acme.db
      .selectFrom('clients')
      .selectAll()
      .where('client_id', '=', 'recorded')
      .executeTakeFirstOrThrow()
    expect(JSON.stringify(row)).not.toContain(String(json['client_secret']))
    expect(row.secret_hash).toMatch(/^\$hmac-sha256\$/)
    expect(await listEvents('client:recorded')).toEqual([
      {
        type: 'client.created',
        actor: await adminId(),
        detail: { name: 'A client', audiences: null, token_endpoint_auth_method: 'client_secret_basic' },
      },
    ])
  })

  it('gives an id to one of twenty who ask at once, and none that is taken', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('race')))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
    for (const id of ['race', 'patmint-cli', 'orders-service'])
      expect(outcome(await create(id))).toEqual([409, 'name_taken', 'There is a client of this id'])
  })

  it('takes an id of 200 characters, and none of 201', async () => {
    expect((await create('x'.repeat(200))).status).toBe(201)
    expect((await create('x'.repeat(201))).status).toBe(400)
  })

  const { d, ...PUBLIC_KEY } = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
  }
  const keyed = (...keys: unknown[]) => ({
    name: 'x',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys },
  })
  it.each<[string, Record<string, unknown>]>([
    ['an id that is not one in a URL', { ...PUBLIC, client_id: 'a/b' }],
    ['an id that is a place in a path', { ...PUBLIC, client_id: '..' }],
    ['an id that is a credential', { ...PUBLIC, client_id: `pat_${'0'.repeat(64)}` }],
    ['an empty id', { ...PUBLIC, client_id: '' }],
    ['no name', { token_endpoint_auth_method: 'none' }],
    ['no way to authenticate', { name: 'x' }],
    ['an unknown way to authenticate', { name: 'x', token_endpoint_auth_method: 'tls_client_auth' }],
    ['a key for a public client', { ...PUBLIC, jwks: { keys: [PUBLIC_KEY] } }],
    ['a key beside a secret', { ...BASIC, jwks: { keys: [PUBLIC_KEY] } }],
    ['no key where one is needed', { name: 'x', token_endpoint_auth_method: 'private_key_jwt' }],
    ['an empty list of keys', keyed()],
    ['a private key', keyed({ ...PUBLIC_KEY, d })],
    ['a symmetric key', keyed({ kty: 'oct', k: 'AAAA' })],
    ['a key with U+0000 in it', keyed({ ...PUBLIC_KEY, kid: 'a\u0000b' })],
    ['a key with half a character in it', keyed({ ...PUBLIC_KEY, ['\ud800']: 'x' })],
    ['a key with a credential in it', keyed({ ...PUBLIC_KEY, kid: `pat_${'0'.repeat(64)}` })],
    ['a key with something nested in it', keyed({ ...PUBLIC_KEY, x5c: [['x']] })],
    ['a secret of its own choice', { ...BASIC, client_secret: 'hunter22' }],
    ['no audience at all', { ...PUBLIC, audiences: [] }],
    ['an audience twice', { ...PUBLIC, audiences: [API, API] }],
    ['a grant nobody knows', { ...PUBLIC, grant_types: ['authorization_code'] }],
    ['a grant twice', { ...PUBLIC, grant_types: [TOKEN_EXCHANGE_GRANT, TOKEN_EXCHANGE_GRANT] }],
    ['a place of keys for a public client', { ...PUBLIC, jwks_uri: 'https://c.example/jwks' }],
    ['a place of keys beside a secret', { ...BASIC, jwks_uri: 'https://c.example/jwks' }],
    ['a place of keys beside keys', { ...keyed(PUBLIC_KEY), jwks_uri: 'https://c.example/jwks' }],
    ...[
      'http://c.example/jwks',
      'https://user@c.example/jwks',
      'https://:x@c.example/jwks',
      'https://c.example/jwks#x',
      'https://c.example/j wks',
      'ftp://c.example/jwks',
      '/jwks',
      '',
    ].map((jwks_uri): [string, Record<string, unknown>] => [
      `keys at ${jwks_uri}`,
      { name: 'x', token_endpoint_auth_method: 'private_key_jwt', jwks_uri },
    ]),
    ['more keys than are tried', keyed(...Array(33).fill(PUBLIC_KEY))],
    ['a key whose id is no text', keyed({ ...PUBLIC_KEY, kid: 1 })],
    ['a key whose use is empty', keyed({ ...PUBLIC_KEY, use: '' })],
    ['a key whose operations are no list', keyed({ ...PUBLIC_KEY, key_ops: 'verify' })],
    ...['built_in', 'secret_hash', 'owner', 'role', 'revoked_at'].map(
      (member): [string, Record<string, unknown>] => [`the member ${member}`, { ...PUBLIC, [member]: 'x' }],
    ),
  ])('refuses %s', async (_name, body) => {
    const answer = await call('POST', '/clients', { client_id: 'refused', ...body })
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    expect((await call('GET', '/clients/refused')).status).toBe(404)
  })

  it('refuses a key that is nested without end', async () => {
    const key = JSON.stringify(PUBLIC_KEY).replace('}', `,"x5c":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)
    const body = JSON.stringify({ client_id: 'deep', ...keyed('KEY') }).replace('"KEY"', key)
    const answer = await fetch(`${acme.url}/api/v1/clients`, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${acme.adminToken}` },
    })
    expect(answer.status).toBe(400)
  })

  it('refuses audiences no resource server has, naming them', async () => {
    const answer = await create('astray', { ...PUBLIC, audiences: [API, 'https://nowhere.test'] })
    expect(outcome(answer)).toEqual([
      400,
      'invalid_request',
      'audiences: there is no resource server https://nowhere.test',
    ])
  })
})

describe('GET /clients', () => {
  it('pages through all of them once, by id, and shows the secret of none', async () => {
    const all = await call('GET', '/clients?limit=200')
    const items = all.json['items'] as Record<string, unknown>[]
    const stored = await acme.db.selectFrom('clients').select('client_id').orderBy('client_id').execute()
    expect(items.map((item) => item['client_id'])).toEqual(stored.map(({ client_id }) => client_id))
    expect(all.text).not.toMatch(/hmac|secret_hash|"client_secret":/)
    const paged: unknown[] = []
    let next = ''
    do {
      const { json } = await call('GET', `/clients?limit=2${next}`)
      paged.push(...(json['items'] as unknown[]))
      next = json['next_cursor'] === null ? '' : `&cursor=${json['next_cursor']}`
    } while (next)
    expect(paged).toEqual(items)
  })

  it('shows what is built in', async () => {
    expect((await call('GET', '/clients/patmint-cli')).json).toMatchObject({
      client_id: 'patmint-cli',
      token_endpoint_auth_method: 'none',
      audiences: null,
      built_in: true,
    })
  })

  it('answers 404 for what is not there', async () => {
    for (const id of ['nobody', '%00', '%20', 'x'.repeat(201)])
      expect((await call('GET', `/clients/${id}`)).status).toBe(404)
  })

  it('finds a client that a file gave an id which has to be escaped', async () => {
    const file = join(newDataDir(), 'client.yaml')
    writeFileSync(file, 'clients: [{ client_id: "urn:x/y?z", token_endpoint_auth_method: none }]\n')
    await acme.apply([file])
    const path = `/clients/${encodeURIComponent('urn:x/y?z')}`
    expect((await call('GET', path)).json['client_id']).toBe('urn:x/y?z')
    expect((await call('DELETE', path)).status).toBe(204)
    expect((await call('GET', path)).status).toBe(404)
  })
})

describe('PATCH /clients/{client_id}', () => {
  it('narrows a client at its next exchange, and widens it again', async () => {
    const id = 'narrowing'
    await create(id)
    const ask = async () => (await exchange({ client_id: id })).json['error']
    expect(await ask()).toBeUndefined()
    const answer = await call('PATCH', `/clients/${id}`, { name: 'Narrow', audiences: [REPORTS] })
    expect(answer.json).toMatchObject({ name: 'Narrow', audiences: [REPORTS] })
    expect((await call('GET', `/clients/${id}`)).json).toEqual(answer.json)
    expect(await ask()).toBe('invalid_target')
    await call('PATCH', `/clients/${id}`, { audiences: null })
    expect(await ask()).toBeUndefined()
    expect((await listEvents(`client:${id}`)).slice(1)).toEqual([
      {
        type: 'client.updated',
        actor: await adminId(),
        detail: {
          before: { name: 'A client', audiences: null },
          after: { name: 'Narrow', audiences: [REPORTS] },
        },
      },
      {
        type: 'client.updated',
        actor: await adminId(),
        detail: { before: { audiences: [REPORTS] }, after: { audiences: null } },
      },
    ])
  })

  it('leaves the secret working, and records nothing when nothing changes', async () => {
    const { json } = await create('steady', BASIC)
    await call('PATCH', '/clients/steady', { name: 'Steady' })
    await call('PATCH', '/clients/steady', { name: 'Steady', grant_types: [TOKEN_EXCHANGE_GRANT] })
    expect(await listEvents('client:steady')).toHaveLength(2)
    const answer = await exchange({ client_id: undefined }, basic('steady', json['client_secret']))
    expect(answer.status).toBe(200)
  })

  it('replaces the keys of a client at its next exchange, and records that and no key', async () => {
    const before = await createAssertionKey('rotating', ISSUER)
    const after = await createAssertionKey('rotating', ISSUER)
    const keyed = {
      name: 'Robot',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [before.jwk] },
    }
    const created = await create('rotating', keyed)
    const works = async () =>
      Promise.all([before, after].map(async ({ assert }) => (await exchange(await assert())).status))
    expect(await works()).toEqual([200, 401])
    const path = '/clients/rotating'
    const both = await call('PATCH', path, { jwks: { keys: [before.jwk, after.jwk] } })
    expect([both.status, both.json['jwks']]).toEqual([200, { keys: [before.jwk, after.jwk] }])
    expect(await works()).toEqual([200, 200])
    const seen = { 'If-Match': String(created.headers.get('etag')) }
    const jwks = { keys: [after.jwk] }
    expect((await call('PATCH', path, { jwks }, seen)).status).toBe(412)
    const fresh = { 'If-Match': String(both.headers.get('etag')) }
    expect((await call('PATCH', path, { name: 'New robot', jwks }, fresh)).status).toBe(200)
    expect(await works()).toEqual([401, 200])
    await call('PATCH', path, { jwks })
    expect((await listEvents('client:rotating')).slice(1).map(({ detail }) => detail)).toEqual([
      { changed: ['jwks'] },
      { before: { name: 'Robot' }, after: { name: 'New robot' }, changed: ['jwks'] },
    ])
  })

  it('has one version of its keys, in whatever order their members stand', async () => {
    const { jwk } = await createAssertionKey('ordered', ISSUER)
    const reversed = Object.fromEntries(Object.entries(jwk).reverse())
    const keyed = { name: 'x', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [reversed] } }
    const created = await create('ordered', keyed)
    const shown = await call('GET', '/clients/ordered')
    expect([shown.text, shown.headers.get('etag')]).toEqual([created.text, created.headers.get('etag')])
    const same = await call('PATCH', '/clients/ordered', { jwks: { keys: [jwk] } })
    expect([same.text, same.headers.get('etag')]).toEqual([created.text, created.headers.get('etag')])
    expect(await listEvents('client:ordered')).toHaveLength(1)
  })

  it('takes keys for no client that authenticates otherwise, and no private ones', async () => {
    await create('keyless')
    const { jwk } = await createAssertionKey('keyless', ISSUER)
    for (const id of ['keyless', 'orders-service'])
      expect(outcome(await call('PATCH', `/clients/${id}`, { jwks: { keys: [jwk] } }))).toEqual([
        400,
        'invalid_request',
        'jwks: is for a client of private_key_jwt alone',
      ])
    await create('keyed', { name: 'x', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } })
    for (const jwks of [null, { keys: [] }, { keys: [{ ...jwk, d: 'AA' }] }, { keys: [jwk], x: 1 }])
      expect((await call('PATCH', '/clients/keyed', { jwks })).status).toBe(400)
    expect((await call('GET', '/clients/keyed')).json['jwks']).toEqual({ keys: [jwk] })
  })

  it('overwrites nothing its client has not seen', async () => {
    const seen = { 'If-Match': String((await create('versioned')).headers.get('etag')) }
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        call('PATCH', '/clients/versioned', { name: `Writer ${index}` }, seen),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412])
    expect((await call('DELETE', '/clients/versioned', undefined, seen)).status).toBe(412)
    const etag = answers.find(({ status }) => status === 200)?.headers.get('etag')
    const fresh = { 'If-Match': String(etag) }
    expect((await call('DELETE', '/clients/versioned', undefined, fresh)).status).toBe(204)
  })

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['another id', { client_id: 'another' }],
    ['another way to authenticate', { token_endpoint_auth_method: 'none' }],
    ['a secret', { client_secret: 'x'.repeat(43) }],
    ['another hash', { secret_hash: 'x' }],
    ['what makes it built in', { name: 'x', built_in: true }],
    ['an audience no resource server has', { audiences: ['https://nowhere.test'] }],
    ['a grant nobody knows', { grant_types: ['password'] }],
  ])('refuses %s, and changes nothing', async (_name, body) => {
    const before = await call('GET', '/clients/orders-service')
    const answer = await call('PATCH', '/clients/orders-service', body)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    expect((await call('GET', '/clients/orders-service')).json).toEqual(before.json)
  })

  it('leaves alone what is built in, and finds nothing that is not there', async () => {
    for (const [method, body] of [
      ['PATCH', { name: 'Mine' }],
      ['DELETE', undefined],
    ] as const) {
      expect(outcome(await call(method, '/clients/patmint-cli', body))).toEqual([409, 'built_in', undefined])
      expect((await call(method, '/clients/nobody', body)).status).toBe(404)
    }
  })
})

describe('DELETE /clients/{client_id}', () => {
  it('binds at the next exchange, and whoever takes the id inherits no secret', async () => {
    const { json } = await create('leaving', BASIC)
    const ask = () => exchange({ client_id: undefined }, basic('leaving', json['client_secret']))
    expect((await ask()).status).toBe(200)
    expect((await call('DELETE', '/clients/leaving')).status).toBe(204)
    const refused = await ask()
    expect([refused.status, refused.json['error']]).toEqual([401, 'invalid_client'])
    expect((await listEvents('client:leaving')).map(({ type }) => type)).toEqual([
      'client.created',
      'client.deleted',
    ])
    await create('leaving', BASIC)
    expect((await ask()).status).toBe(401)
  })
})

describe('who may change clients', () => {
  const CHANGES: [string, string, unknown][] = [
    ['POST', '/clients', { client_id: 'x', ...PUBLIC }],
    ['PATCH', '/clients/orders-service', { name: 'x' }],
    ['DELETE', '/clients/orders-service', undefined],
  ]

  it.each(CHANGES)('is nobody whose rights end at their organization: %s %s', async (method, path, body) => {
    const answer = await callApi(acme.url, clerkPat, method, path, body)
    expect(outcome(answer)).toEqual([403, 'forbidden', 'Changing clients takes rights in every organization'])
    expect((await callApi(acme.url, clerkPat, 'GET', '/clients/orders-service')).json['name']).toBe('Orders')
  })

  it.each([...CHANGES, ['GET', '/clients', undefined], ['GET', '/clients/orders-service', undefined]])(
    'is nobody without the scope: %s %s',
    async (method, path, body) => {
      const scope = method === 'GET' ? 'clients:read' : 'clients:write'
      const answer = await callApi(acme.url, acme.adaPat, String(method), String(path), body)
      expect(outcome(answer)).toEqual([403, 'forbidden', `The scope ${scope} is needed`])
    },
  )
})

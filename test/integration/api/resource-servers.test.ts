import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'
import { ISSUER } from '../../support/test-server.ts'

let acme: Acme
/** PAT of somebody whose role in acme has every scope for resource servers, and does not reach further. */
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
const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  callApi(acme.url, acme.adminToken, method, path, body, headers)

const BODY = { name: 'Files', scopes: { 'files:read': 'Read files', 'files:write': 'Change files' } }

const create = (audience: string, body: Record<string, unknown> = BODY) =>
  call('POST', '/resource-servers', { audience, ...body })

const outcome = ({ status, json }: Answer) => [status, json['code'], json['detail']]

const findPath = async (audience: string): Promise<string> => {
  const { json } = await call('GET', `/resource-servers?audience=${encodeURIComponent(audience)}`)
  const [server] = json['items'] as { id: string }[]
  return `/resource-servers/${server?.id}`
}

const listEvents = (target: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'detail'])
    .where('target', '=', target)
    .orderBy('id')
    .execute()

/** A PAT of somebody with these scopes at the audience. */
async function issueFor(name: string, audience: string, scopes: string[]): Promise<string> {
  const role = await call('POST', '/organizations/acme/roles', { name, permissions: [{ audience, scopes }] })
  expect(role.status).toBe(201)
  const email = `${name}@acme.test`
  const user = await call('POST', '/users', { email, name })
  await call('POST', '/organizations/acme/members', { user_id: user.json['id'], role: name })
  return acme.issue(email, { name: 'laptop' })
}

describe('POST /resource-servers', () => {
  it('makes one with what is usual, and records it', async () => {
    const audience = 'https://files.test'
    const answer = await create(audience)
    expect([answer.status, answer.json]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        audience,
        ...BODY,
        access_token_ttl_seconds: 300,
        signing_alg: 'ES256',
        dpop_required: false,
        built_in: false,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    ])
    const shown = await call('GET', `/resource-servers/${answer.json['id']}`)
    expect(shown.json).toEqual(answer.json)
    expect(shown.headers.get('etag')).toBe(answer.headers.get('etag'))
    expect(await listEvents(`resource_server:${audience}`)).toEqual([
      {
        type: 'resource_server.created',
        actor: (await call('GET', '/me')).json['subject'],
        detail: { scopes: BODY.scopes },
      },
    ])
  })

  it('makes one that tokens are issued for as soon as a role permits it, as it says', async () => {
    const audience = 'https://signed.test'
    await create(audience, { ...BODY, access_token_ttl_seconds: 7, signing_alg: 'EdDSA' })
    const pat = await issueFor('signer', audience, ['files:*'])
    const { json } = await requestExchange(acme.url, { subject_token: pat })
    expect([json['expires_in'], json['scope']]).toEqual([7, 'files:read files:write'])
    expect(decodeProtectedHeader(String(json['access_token'])).alg).toBe('EdDSA')
    expect(decodeJwt(String(json['access_token'])).aud).toBe(audience)
  })

  it('gives an audience to one of twenty who ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('https://race.test')))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
    expect(outcome(await create(`${ISSUER}/api`))).toEqual([
      409,
      'name_taken',
      'There is a resource server with this audience',
    ])
  })

  it('takes what is just within the limits, and nothing beyond', async () => {
    const scopes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}:read`, 'd'.repeat(500)]))
    const edges: [Record<string, unknown>, number][] = [
      [{ scopes: {} }, 201],
      [{ scopes: scopes(500) }, 201],
      [{ scopes: scopes(501) }, 400],
      [{ access_token_ttl_seconds: 1 }, 201],
      [{ access_token_ttl_seconds: 3600 }, 201],
      [{ access_token_ttl_seconds: 0 }, 400],
      [{ access_token_ttl_seconds: 3601 }, 400],
    ]
    for (const [index, [body, status]] of edges.entries())
      expect([index, (await create(`https://edge${index}.test`, { ...BODY, ...body })).status]).toEqual([
        index,
        status,
      ])
    expect((await create(`https://${'x'.repeat(492)}`)).status).toBe(201)
    expect((await create(`https://${'x'.repeat(493)}`)).status).toBe(400)
  })

  it('keeps scopes with the names of what objects have', async () => {
    const scopes = { constructor: 'a', toString: 'b', '7': 'c', hasOwnProperty: 'd' }
    const answer = await create('https://objects.test', { ...BODY, scopes })
    expect([answer.status, answer.json['scopes']]).toEqual([201, scopes])
    expect((await call('GET', `/resource-servers/${answer.json['id']}`)).json['scopes']).toEqual(scopes)
  })

  it.each<[string, Record<string, unknown>]>([
    ['no audience', { audience: undefined }],
    ['a blank in the audience', { audience: 'https://x y' }],
    ['no name', { name: undefined }],
    ['no scopes', { scopes: undefined }],
    ['a wildcard', { scopes: { 'files:*': 'x' } }],
    ['a scope with a blank', { scopes: { 'files read': 'x' } }],
    ['a scope without description', { scopes: { 'files:read': '' } }],
    ['a description with U+0000', { scopes: { 'files:read': 'a\u0000b' } }],
    ['a description of 501 characters', { scopes: { 'files:read': 'x'.repeat(501) } }],
    ['half a second', { access_token_ttl_seconds: 0.5 }],
    ['a signature anybody can make', { signing_alg: 'none' }],
    ...['id', 'built_in', 'owner', 'role'].map((member): [string, Record<string, unknown>] => [
      `the member ${member}`,
      { [member]: 'x' },
    ]),
  ])('refuses %s', async (_name, body) => {
    const answer = await create('https://refused.test', { ...BODY, ...body })
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    expect(await findPath('https://refused.test')).toBe('/resource-servers/undefined')
  })
})

describe('GET /resource-servers', () => {
  it('pages through all of them once, oldest first', async () => {
    const all = (await call('GET', '/resource-servers?limit=200')).json['items'] as { id: string }[]
    const stored = await acme.db.selectFrom('resource_servers').select('id').orderBy('id').execute()
    expect(all[0]).toMatchObject({ audience: `${ISSUER}/api`, built_in: true })
    expect(all.map(({ id }) => id)).toEqual(stored.map(({ id }) => id))
    const paged: unknown[] = []
    let next = ''
    do {
      const { json } = await call('GET', `/resource-servers?limit=2${next}`)
      paged.push(...(json['items'] as unknown[]))
      next = json['next_cursor'] === null ? '' : `&cursor=${json['next_cursor']}`
    } while (next)
    expect(paged).toEqual(all)
  })

  it('finds an audience that is exactly the one asked for', async () => {
    const find = async (audience: string) =>
      (await call('GET', `/resource-servers?audience=${encodeURIComponent(audience)}`)).json['items']
    expect(await find(API)).toMatchObject([{ audience: API, built_in: false }])
    expect(await find(API.toUpperCase())).toEqual([])
    expect(await find(`${API}/`)).toEqual([])
    expect((await call('GET', '/resource-servers?audience=%00')).status).toBe(400)
  })

  it('is open to whoever reads clients, within one organization', async () => {
    const path = await findPath(API)
    expect((await callApi(acme.url, clerkPat, 'GET', '/resource-servers')).status).toBe(200)
    expect((await callApi(acme.url, clerkPat, 'GET', path)).json['audience']).toBe(API)
  })

  it('answers 404 for what is not there', async () => {
    for (const id of ['00000000-0000-7000-8000-000000000000', 'x', '%00'])
      expect((await call('GET', `/resource-servers/${id}`)).status).toBe(404)
  })
})

describe('PATCH /resource-servers/{id}', () => {
  it('binds at the next exchange: scopes, time to live and algorithm', async () => {
    const audience = 'https://changing.test'
    const { id } = (await create(audience)).json
    const pat = await issueFor('changer', audience, ['files:*'])
    const exchange = async () => (await requestExchange(acme.url, { subject_token: pat })).json
    expect(await exchange()).toMatchObject({ scope: 'files:read files:write', expires_in: 300 })
    const change = {
      name: 'Documents',
      scopes: { 'files:read': 'Read', 'files:list': 'List' },
      access_token_ttl_seconds: 60,
      signing_alg: 'RS256',
      dpop_required: false,
    }
    const answer = await call('PATCH', `/resource-servers/${id}`, change)
    expect(answer.json).toMatchObject({ id, audience, ...change })
    expect((await call('GET', `/resource-servers/${id}`)).json).toEqual(answer.json)
    const after = await exchange()
    expect(after).toMatchObject({ scope: 'files:list files:read', expires_in: 60 })
    expect(decodeProtectedHeader(String(after['access_token'])).alg).toBe('RS256')
  })

  it('changes what it names alone, and records before and after, once', async () => {
    const audience = 'https://partial.test'
    const { id, ...before } = (await create(audience)).json
    const path = `/resource-servers/${id}`
    const scopes = { 'files:read': 'Read files' }
    expect((await call('PATCH', path, { scopes })).json).toEqual({ ...before, id, scopes })
    expect((await call('PATCH', path, { scopes, name: 'Files' })).json).toEqual({ ...before, id, scopes })
    expect((await listEvents(`resource_server:${audience}`)).slice(1)).toEqual([
      {
        type: 'resource_server.updated',
        actor: (await call('GET', '/me')).json['subject'],
        detail: { before: { scopes: BODY.scopes }, after: { scopes } },
      },
    ])
  })

  it('overwrites nothing its client has not seen, scopes included', async () => {
    const created = await create('https://versioned.test')
    const path = `/resource-servers/${created.json['id']}`
    const seen = { 'If-Match': String(created.headers.get('etag')) }
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) => call('PATCH', path, { scopes: { [`s${index}`]: 'x' } }, seen)),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412])
    const [winner] = answers.filter(({ status }) => status === 200)
    expect((await call('GET', path)).json).toEqual(winner?.json)
    expect((await call('DELETE', path, undefined, seen)).status).toBe(412)
    const fresh = { 'If-Match': String(winner?.headers.get('etag')) }
    expect((await call('DELETE', path, undefined, fresh)).status).toBe(204)
  })

  it('has one version, in whatever order a body names the scopes', async () => {
    const created = await create('https://order.test', {
      ...BODY,
      scopes: { 'z:z': 'Z', 'B:b': 'B', 'a:a': 'A' },
    })
    const path = `/resource-servers/${created.json['id']}`
    const tag = (answer: Answer) => String(answer.headers.get('etag'))
    expect(tag(await call('GET', path))).toBe(tag(created))
    const scopes = { 'z:z': 'Z', y: 'Y', 'B:b': 'B', 'a:a': 'A' }
    const changed = await call('PATCH', path, { scopes }, { 'If-Match': tag(created) })
    expect([changed.status, changed.json['scopes']]).toEqual([200, scopes])
    expect(changed.text).toBe((await call('GET', path)).text)
    expect((await call('PATCH', path, { name: 'Again' }, { 'If-Match': tag(changed) })).status).toBe(200)
  })

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['another audience', { audience: 'https://elsewhere.test' }],
    ['what makes it built in', { name: 'x', built_in: true }],
    ['a wildcard among the scopes', { scopes: { '*:*': 'x' } }],
    ['a time to live beyond an hour', { access_token_ttl_seconds: 3601 }],
  ])('refuses %s, and changes nothing', async (_name, body) => {
    const path = await findPath(API)
    const before = await call('GET', path)
    const answer = await call('PATCH', path, body)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    expect((await call('GET', path)).json).toEqual(before.json)
  })

  it('leaves the management API alone, and finds nothing that is not there', async () => {
    const path = await findPath(`${ISSUER}/api`)
    for (const [method, body] of [
      ['PATCH', { name: 'Mine' }],
      ['DELETE', undefined],
    ] as const) {
      expect(outcome(await call(method, path, body))).toEqual([409, 'built_in', undefined])
      const nowhere = await call(method, '/resource-servers/00000000-0000-7000-8000-000000000000', body)
      expect(nowhere.status).toBe(404)
    }
  })
})

describe('DELETE /resource-servers/{id}', () => {
  it('binds at the next exchange, and another of the same audience begins with nothing', async () => {
    const audience = 'https://leaving.test'
    const { id } = (await create(audience)).json
    const pat = await issueFor('leaver', audience, ['files:read'])
    const exchange = async () => {
      const { status, json } = await requestExchange(acme.url, { subject_token: pat, audience })
      return [status, json['error']]
    }
    expect(await exchange()).toEqual([200, undefined])
    expect((await call('DELETE', `/resource-servers/${id}`)).status).toBe(204)
    expect(await exchange()).toEqual([400, 'invalid_target'])
    expect((await call('GET', `/resource-servers/${id}`)).status).toBe(404)
    expect((await create(audience)).status).toBe(201)
    expect(await exchange()).toEqual([400, 'invalid_target'])
    expect((await listEvents(`resource_server:${audience}`)).map(({ type }) => type)).toEqual([
      'resource_server.created',
      'resource_server.deleted',
      'resource_server.created',
    ])
  })
})

describe('who may change resource servers', () => {
  const CHANGES: [string, unknown][] = [
    ['POST', { audience: 'https://x.test', ...BODY }],
    ['PATCH', { name: 'x' }],
    ['DELETE', undefined],
  ]

  it.each(CHANGES)('is nobody whose rights end at their organization: %s', async (method, body) => {
    const path = method === 'POST' ? '/resource-servers' : await findPath(API)
    expect(outcome(await callApi(acme.url, clerkPat, method, path, body))).toEqual([
      403,
      'forbidden',
      'Changing resource servers takes rights in every organization',
    ])
    expect((await call('GET', await findPath(API))).json['name']).toBe('Example API')
  })

  it.each([...CHANGES, ['GET', undefined]])('is nobody without the scope: %s', async (method, body) => {
    const scope = method === 'GET' ? 'clients:read' : 'clients:write'
    const path = method === 'POST' ? '/resource-servers' : await findPath(API)
    const answer = await callApi(acme.url, acme.adaPat, String(method), path, body)
    expect(outcome(answer)).toEqual([403, 'forbidden', `The scope ${scope} is needed`])
  })
})

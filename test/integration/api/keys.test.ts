import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, REPORTS, startAcme } from '../../support/acme.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { ISSUER } from '../../support/test-server.ts'
import { callForValue, eventsOf, idOf, pathOf, rotateItself, rowOf } from './credential-desk.ts'
import {
  DirectoryDesk,
  FORBIDDEN,
  INSTANT,
  INVALID,
  NOT_FOUND,
  problem,
  REFUSED,
  refusalOf,
  TAG,
} from './directory-desk.ts'

const KEYS = '/organizations/acme/keys'

let acme: Acme
let desk: DirectoryDesk
let adaId: string
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  adaId = await desk.findUserId('ada@acme.test')
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
})
afterAll(() => acme.stop())

const newName = (): string => `key ${crypto.randomUUID()}`
const create = (body: object, token = acme.adaPat, path = KEYS): Promise<Answer> =>
  callForValue(acme.url, token, path, { name: newName(), role: 'analyst', ...body })
/** A key Ada makes; gives its value. */
async function make(body: object = {}): Promise<string> {
  const answer = await create(body)
  if (answer.status !== 201) throw new Error(answer.text)
  return String(answer.json['token'])
}
const keyPath = (key: string): string => `${KEYS}/${idOf(key)}`
const exchange = (subject_token: string, audience = API, scope?: string) =>
  requestExchange(acme.url, { subject_token, audience, scope })
const subjectOf = ({ json }: Answer): unknown => decodeJwt(String(json['access_token'])).sub

describe('POST /organizations/{slug}/keys', () => {
  it('shows the value once, uncached, with everything else about the key', async () => {
    const answer = await create({ name: 'ci', expires_in_seconds: 3600 })
    const { token, ...key } = answer.json
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(token).toMatch(/^key_[0-9a-f]{64}$/)
    const end = new Date(Date.parse(String(key['created_at'])) + 3_600_000).toISOString()
    expect(key).toEqual({
      id: idOf(String(token)),
      kind: 'organization',
      name: 'ci',
      prefix: String(token).slice(0, 10),
      organization: 'acme',
      owner: null,
      role: 'analyst',
      permissions: null,
      created_at: INSTANT,
      expires_at: end,
      effective_expires_at: end,
      last_used_at: null,
      last_used_ip: null,
      status: 'active',
      status_detail: null,
      blocked_by: null,
      allowed_cidrs: null,
      may_act: null,
    })
    expect(await eventsOf(acme, idOf(String(token)))).toEqual([
      {
        type: 'credential.issued',
        reason: null,
        subject: `key:${idOf(String(token))}`,
        actor: adaId,
        organization: 'acme',
        ip: '127.0.0.1',
        detail: null,
      },
    ])
    expect(await rowOf(acme, idOf(String(token)))).toMatchObject({
      owner_id: null,
      issued_by: adaId,
      issued_reach: 'organization',
    })
  })

  it('makes what is exchanged like a PAT, for a subject of its own', async () => {
    const key = await make()
    const answer = await exchange(key)
    expect(answer.json['scope']).toBe('datasets:read models:read')
    expect(subjectOf(answer)).toBe(`key:${idOf(key)}`)
    expect((await exchange(key, API, 'models/m1:read')).json['scope']).toBe('models/m1:read')
  })

  it('narrows to permissions, and to addresses', async () => {
    const permissions = [{ audience: API, scopes: ['models:read'] }]
    expect((await exchange(await make({ permissions }))).json['scope']).toBe('models:read')
    const elsewhere = await make({ allowed_cidrs: ['192.0.2.0/24'] })
    expect((await exchange(elsewhere)).json).toEqual(REFUSED)
    expect(await desk.lastReason()).toBe('address_not_allowed')
  })

  it.each([
    ['a scope', [{ audience: API, scopes: ['models:write'] }], { audience: API, scope: 'models:write' }],
    ['an audience', [{ audience: REPORTS, scopes: ['reports:read'] }], { audience: REPORTS, scope: null }],
  ])('refuses %s its role does not have', async (_, permissions, extra) => {
    const answer = await create({ permissions })
    expect(refusalOf(answer)).toEqual([422, 'permission_not_held'])
    expect(answer.json).toMatchObject(extra)
  })

  it('keeps to the policy of the organization', async () => {
    expect((await create({ never_expires: true })).json).toEqual(
      problem(422, 'policy_violation', 'max_lifetime of the organization policy', {
        rule: 'max_lifetime',
        level: 'organization',
        limit_seconds: 7_776_000,
      }),
    )
    expect(refusalOf(await create({ expires_in_seconds: 7_776_001 }))).toEqual([422, 'policy_violation'])
    expect((await create({ expires_in_seconds: 7_776_000 })).status).toBe(201)
    const lifetime = ({ json }: Answer): number =>
      Date.parse(String(json['expires_at'])) - Date.parse(String(json['created_at']))
    expect(lifetime(await create({}))).toBe(7_776_000_000)
  })

  it('gives a name to one of twenty who want it at once, and again once that is gone', async () => {
    const name = newName()
    const answers = await Promise.all(Array.from({ length: 20 }, () => create({ name })))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ json }) => json['code'] === 'token_name_taken')).toHaveLength(19)
    const made = String(answers.find(({ status }) => status === 201)?.json['token'])
    await callApi(acme.url, acme.adaPat, 'DELETE', keyPath(made))
    expect((await create({ name })).status).toBe(201)
  })

  it('takes a name that a PAT or a key elsewhere has', async () => {
    expect((await create({ name: 'laptop' })).status).toBe(201)
    const body = { name: 'laptop', role: 'member' }
    expect((await create(body, acme.adminToken, '/organizations/beta/keys')).status).toBe(201)
  })

  it('refuses a role that is not there, or of another organization', async () => {
    await desk.admin('POST', '/organizations/beta/roles', { name: 'beta-only', permissions: [] })
    for (const role of ['nobody', 'beta-only']) {
      const answer = await create({ role })
      expect(answer.json).toEqual(
        problem(400, 'invalid_request', `role: there is no role ${role}`, {
          problems: [{ path: 'role', message: `there is no role ${role}` }],
        }),
      )
    }
  })

  it.each<[string, object]>([
    ['no role', { role: undefined }],
    ['no name', { name: undefined }],
    ['an owner', { owner: 'x' }],
    ['an organization', { organization: 'beta' }],
    ['a kind', { kind: 'personal' }],
    ['a hash', { secret_hash: 'x' }],
    ['a revocation', { revoked_at: null }],
    ['two lifetimes', { never_expires: true, expires_in_seconds: 60 }],
  ])('refuses %s', async (_, body) => {
    expect(refusalOf(await create(body))).toEqual(INVALID)
  })
})

describe('who may make a key', () => {
  const body = { name: 'above', role: 'admin' }

  it('is nobody without the scope, and nobody elsewhere', async () => {
    expect(refusalOf(await create({}, acme.janePat))).toEqual(FORBIDDEN)
    for (const path of ['/organizations/beta/keys', '/organizations/nowhere/keys'])
      expect(refusalOf(await create(body, acme.adaPat, path))).toEqual(NOT_FOUND)
    const ofBeta = await create({ role: 'member' }, acme.adminToken, '/organizations/beta/keys')
    expect(ofBeta.json).toMatchObject({ organization: 'beta', role: 'member' })
  })

  it('makes none above their own rights', async () => {
    const answer = await create({ role: 'platform-admin' })
    expect([answer.status, answer.json]).toEqual([
      403,
      problem(403, 'forbidden', 'The role has rights beyond yours: every organization'),
    ])
    expect((await create({ role: 'admin' })).status).toBe(201)
    const permissions = [{ audience: `${ISSUER}/api`, scopes: ['keys:*'] }]
    const clerk = await acme.issue('ada@acme.test', { name: 'clerk', permissions })
    expect(refusalOf(await create({ role: 'admin' }, clerk))).toEqual(FORBIDDEN)
    expect(refusalOf(await create({ role: 'analyst' }, clerk))).toEqual(FORBIDDEN)
  })

  it('leaves the key alone when suspended, demoted or removed', async () => {
    const mona = await desk.addMember('acme', 'mona@acme.test', 'admin')
    const made = await create({}, mona.pat)
    const key = String(made.json['token'])
    const works = async (): Promise<number> => (await exchange(key)).status
    await desk.admin('PATCH', `/organizations/acme/members/${mona.id}`, { role: 'member' })
    expect([await works(), (await create({}, mona.pat)).status]).toEqual([200, 403])
    await acme.db.updateTable('users').set({ status: 'suspended' }).where('id', '=', mona.id).execute()
    expect([await works(), (await create({}, mona.pat)).status]).toEqual([200, 401])
    await desk.admin('DELETE', `/organizations/acme/members/${mona.id}`)
    expect([await works(), (await create({}, mona.pat)).status]).toEqual([200, 401])
  })
})

describe('the role of a key', () => {
  it('is read anew at each exchange, and its end is the end of the key', async () => {
    const read = [{ audience: API, scopes: ['models:read'] }]
    const write = [{ audience: API, scopes: ['models:*'] }]
    await desk.admin('POST', '/organizations/acme/roles', { name: 'robot', permissions: read })
    const key = await make({ role: 'robot' })
    expect(await desk.scopeOf(key)).toBe('models:read')
    await desk.admin('PATCH', '/organizations/acme/roles/robot', { permissions: write })
    expect(await desk.scopeOf(key)).toBe('models:read models:write')
    await desk.admin('DELETE', '/organizations/acme/roles/robot')
    expect(await desk.scopeOf(key)).toBeNull()
    expect(await desk.lastReason()).toBe('role_missing')
    const shown = await callApi(acme.url, acme.adaPat, 'GET', keyPath(key))
    expect(shown.json).toMatchObject({ role: null, status: 'suspended', status_detail: 'role_missing' })
    await desk.admin('POST', '/organizations/acme/roles', { name: 'robot', permissions: write })
    expect(await desk.scopeOf(key)).toBeNull()
  })
})

describe('a key at the management API', () => {
  it('sees, reads and revokes itself and nothing else', async () => {
    const [key, other] = [await make(), await make()]
    const list = await callApi(acme.url, key, 'GET', '/tokens')
    expect(list.json['items']).toMatchObject([{ id: idOf(key), kind: 'organization' }])
    for (const method of ['GET', 'DELETE'])
      expect(refusalOf(await callApi(acme.url, key, method, pathOf(other)))).toEqual(NOT_FOUND)
    expect((await callApi(acme.url, key, 'DELETE', pathOf(key))).status).toBe(204)
    expect((await exchange(key)).json).toEqual(REFUSED)
    expect(await eventsOf(acme, idOf(key), 'credential.revoked')).toMatchObject([
      { subject: `key:${idOf(key)}`, actor: `key:${idOf(key)}` },
    ])
  })

  it('is asked who it is', async () => {
    const key = await make()
    const { status, json } = await callApi(acme.url, key, 'GET', '/me')
    expect([status, json['subject'], json['kind']]).toEqual([200, `key:${idOf(key)}`, 'key'])
  })

  it('rotates itself', async () => {
    const key = await make()
    const successor = await rotateItself(acme, key)
    expect((await exchange(key)).json).toEqual(REFUSED)
    expect(successor).toMatch(/^key_/)
    expect(subjectOf(await exchange(successor))).toBe(`key:${idOf(successor)}`)
    expect(await rowOf(acme, idOf(successor))).toMatchObject({
      role_id: (await rowOf(acme, idOf(key))).role_id,
    })
  })

  it('rotates itself by its value and not by an access token, whichever path it takes', async () => {
    const key = await make({ role: 'admin' })
    const { json } = await exchange(key, `${ISSUER}/api`)
    for (const path of [pathOf(key), keyPath(key)]) {
      const answer = await callForValue(acme.url, String(json['access_token']), `${path}/rotate`, {})
      expect([path, answer.status, answer.json]).toEqual([
        path,
        403,
        problem(403, 'forbidden', 'Sign in: a credential rotates itself, by its value, and no other'),
      ])
    }
    expect(await rowOf(acme, idOf(key))).toMatchObject({ overlap_until: null })
    expect((await callForValue(acme.url, key, `${keyPath(key)}/rotate`, {})).status).toBe(201)
  })

  it('has the rights of its role', async () => {
    expect((await callApi(acme.url, await make(), 'GET', KEYS)).status).toBe(403)
    expect((await callApi(acme.url, await make({ role: 'admin' }), 'GET', KEYS)).status).toBe(200)
  })
})

describe('GET /organizations/{slug}/keys', () => {
  it('pages through the keys of the organization, oldest first, and shows no value', async () => {
    const key = await make()
    const expected = await acme.db
      .selectFrom('credentials as c')
      .innerJoin('organizations as o', 'o.id', 'c.organization_id')
      .select('c.id')
      .where('o.slug', '=', 'acme')
      .where('c.kind', '=', 'organization')
      .orderBy('c.created_at')
      .orderBy('c.id')
      .execute()
    for (const limit of [2, 200]) {
      const items = await desk.listAll(acme.adaPat, KEYS, limit)
      expect(items.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
    }
    const { text } = await callApi(acme.url, acme.adaPat, 'GET', `${KEYS}?limit=200`)
    expect(text).not.toContain(key.slice(20, 60))
  })

  it('is not for other organizations, nor without the scope', async () => {
    for (const path of ['/organizations/beta/keys', '/organizations/nowhere/keys'])
      expect(refusalOf(await callApi(acme.url, acme.adaPat, 'GET', path))).toEqual(NOT_FOUND)
    expect(refusalOf(await callApi(acme.url, acme.janePat, 'GET', KEYS))).toEqual(FORBIDDEN)
    expect(refusalOf(await callApi(acme.url, acme.adaPat, 'GET', `${KEYS}?kind=personal`))).toEqual(INVALID)
  })
})

describe('/organizations/{slug}/keys/{id}', () => {
  const call = (method: string, path: string, body?: object, headers = {}) =>
    callApi(acme.url, acme.adaPat, method, path, body, headers)

  it('renames a key that one has seen', async () => {
    const [key, other] = [await make(), await make({ name: 'other' })]
    const { json: before, headers } = await call('GET', keyPath(key))
    const tag = String(headers.get('etag'))
    expect(tag).toMatch(TAG)
    const renamed = await call('PATCH', keyPath(key), { name: 'renamed' }, { 'If-Match': tag })
    expect(renamed.json).toEqual({ ...before, name: 'renamed' })
    const stale = [412, 'precondition_failed']
    expect(refusalOf(await call('PATCH', keyPath(key), { name: 'x' }, { 'If-Match': tag }))).toEqual(stale)
    expect(refusalOf(await call('DELETE', keyPath(key), undefined, { 'If-Match': tag }))).toEqual(stale)
    expect(refusalOf(await call('PATCH', keyPath(other), { name: 'renamed' }))).toEqual([
      409,
      'token_name_taken',
    ])
    expect(refusalOf(await call('PATCH', keyPath(key), { name: 'x', role: 'admin' }))).toEqual(INVALID)
    expect(await eventsOf(acme, idOf(key), 'credential.renamed')).toMatchObject([
      { subject: `key:${idOf(key)}`, actor: adaId, detail: { after: { name: 'renamed' } } },
    ])
  })

  it('revokes a key for good', async () => {
    const key = await make()
    const answers = await Promise.all(Array.from({ length: 5 }, () => call('DELETE', keyPath(key))))
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204])
    expect((await exchange(key)).json).toEqual(REFUSED)
    expect(await desk.lastReason()).toBe('credential_revoked')
    expect(await eventsOf(acme, idOf(key), 'credential.revoked')).toMatchObject([
      { subject: `key:${idOf(key)}`, actor: adaId, organization: 'acme' },
    ])
    expect(refusalOf(await call('PATCH', keyPath(key), { name: newName() }))).toEqual([409, 'not_active'])
  })

  it('rotates a key for whoever could make it', async () => {
    const key = await make()
    const rotate = (credential: string, token = acme.adaPat) =>
      callForValue(acme.url, token, `${keyPath(credential)}/rotate`, { overlap_seconds: 60 })
    const answer = await rotate(key)
    expect([answer.status, answer.json['role'], answer.json['organization']]).toEqual([
      201,
      'analyst',
      'acme',
    ])
    expect((await exchange(String(answer.json['token']))).json['scope']).toBe('datasets:read models:read')
    expect(refusalOf(await rotate(key))).toEqual([409, 'already_rotated'])
    const above = await create({ role: 'platform-admin' }, acme.adminToken)
    const refused = await rotate(String(above.json['token']))
    expect([refused.status, refused.json]).toEqual([
      403,
      problem(403, 'forbidden', 'The key has rights beyond yours: every organization'),
    ])
    expect((await rotate(String(above.json['token']), acme.adminToken)).status).toBe(201)
  })

  it('knows neither keys of another organization, nor PATs, nor what is not there', async () => {
    const foreign = await create({ role: 'member' }, acme.adminToken, '/organizations/beta/keys')
    const foreignId = String(foreign.json['id'])
    const ids = [foreignId, idOf(acme.janePat), '0000000000000000', 'x', '%00']
    const paths = [...ids.map((id) => `${KEYS}/${id}`), `/organizations/beta/keys/${foreignId}`]
    for (const path of paths) {
      expect([path, ...refusalOf(await call('GET', path))]).toEqual([path, ...NOT_FOUND])
      expect(refusalOf(await call('PATCH', path, { name: 'mine now' }))).toEqual(NOT_FOUND)
      expect(refusalOf(await call('DELETE', path))).toEqual(NOT_FOUND)
      expect(refusalOf(await call('POST', `${path}/rotate`, {}))).toEqual(NOT_FOUND)
    }
    expect((await callApi(acme.url, acme.adminToken, 'GET', `${KEYS}/${foreignId}`)).status).toBe(404)
    expect(await rowOf(acme, foreignId)).toMatchObject({ revoked_at: null, overlap_until: null })
  })

  it('needs the scope to read or to write', async () => {
    const key = await make()
    const permissions = [{ audience: `${ISSUER}/api`, scopes: ['keys:read'] }]
    const reader = await acme.issue('ada@acme.test', { name: 'reader', permissions })
    expect((await callApi(acme.url, reader, 'GET', keyPath(key))).status).toBe(200)
    expect(refusalOf(await callApi(acme.url, reader, 'PATCH', keyPath(key), { name: 'x' }))).toEqual(
      FORBIDDEN,
    )
    expect(refusalOf(await callApi(acme.url, reader, 'DELETE', keyPath(key)))).toEqual(FORBIDDEN)
    expect(refusalOf(await callApi(acme.url, reader, 'POST', `${keyPath(key)}/rotate`, {}))).toEqual(
      FORBIDDEN,
    )
    expect(refusalOf(await callApi(acme.url, acme.janePat, 'GET', keyPath(key)))).toEqual(FORBIDDEN)
  })
})

describe('the number of keys', () => {
  it('of one organization is at most a hundred that are alive', async () => {
    await desk.admin('POST', '/organizations', { slug: 'full', name: 'Full' })
    const path = '/organizations/full/keys'
    const add = () => create({ role: 'member' }, acme.adminToken, path)
    const { json } = await add()
    const { id, status_index: _, ...row } = await rowOf(acme, String(json['id']))
    const rows = Array.from({ length: 96 }, (_, n) => ({
      ...row,
      permissions: null,
      may_act: null,
      id: n.toString(16).padStart(16, 'f'),
      name: `key ${n}`,
    }))
    await acme.db.insertInto('credentials').values(rows).execute()
    const answers = await Promise.all(Array.from({ length: 10 }, add))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
    const refused = answers.filter(({ status }) => status !== 201)
    for (const answer of refused)
      expect(answer.json).toEqual(
        problem(409, 'token_limit_reached', 'At most 100 active tokens are allowed', { limit: 100 }),
      )
    const rotated = await callForValue(acme.url, acme.adminToken, `${path}/${id}/rotate`, {
      overlap_seconds: 60,
    })
    expect([rotated.status, (await add()).status]).toEqual([201, 409])
    await callApi(acme.url, acme.adminToken, 'DELETE', `${path}/${rotated.json['id']}`)
    // The old value works on.
    expect((await add()).status).toBe(409)
    await callApi(acme.url, acme.adminToken, 'DELETE', `${path}/${id}`)
    expect((await add()).status).toBe(201)
  })
})

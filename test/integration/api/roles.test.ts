import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, REPORTS, startAcme } from '../../support/acme.ts'
import {
  DirectoryDesk,
  FORBIDDEN,
  INSTANT,
  INVALID,
  NOT_FOUND,
  problem,
  refusalOf,
  TAG,
} from './directory-desk.ts'

const ROLES = '/organizations/acme/roles'
const PLATFORM_ONLY = 'https://platform.example.com'
const at = (audience: string, ...scopes: string[]) => ({ audience, scopes })

let acme: Acme
let desk: DirectoryDesk
let management: string
let adaId: string
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  management = `${acme.issuer}/api`
  adaId = await desk.findUserId('ada@acme.test')
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
  await desk.admin('POST', '/resource-servers', {
    audience: PLATFORM_ONLY,
    name: 'No role of acme has anything here',
    scopes: { 'secrets:read': 'Read secrets' },
  })
})
afterAll(() => acme.stop())

const define = (token: string, name: string, permissions: unknown, path = ROLES) =>
  desk.call(token, 'POST', path, { name, permissions })
const redefine = (token: string, name: string, permissions: unknown, ifMatch?: string, path = ROLES) =>
  desk.call(token, 'PATCH', `${path}/${name}`, { permissions }, ifMatch)
const remove = (token: string, name: string, ifMatch?: string, path = ROLES) =>
  desk.call(token, 'DELETE', `${path}/${name}`, undefined, ifMatch)

describe('GET roles', () => {
  it('shows the own and the built-in ones, each once, whatever the size of a page', async () => {
    const all = await desk.listAll(acme.adaPat, ROLES, 200)
    expect(all.map(({ name }) => name).sort()).toEqual([
      'admin',
      'analyst',
      'engineer',
      'member',
      'platform-admin',
    ])
    expect(await desk.listAll(acme.adaPat, ROLES, 2)).toEqual(all)
    const analyst = {
      name: 'analyst',
      organization: 'acme',
      built_in: false,
      reach: 'organization',
      permissions: [at(API, 'datasets:*', 'models:read')],
      created_at: INSTANT,
    }
    const platformAdmin = {
      name: 'platform-admin',
      organization: null,
      built_in: true,
      reach: 'platform',
      permissions: [at(management, '*:*')],
      created_at: INSTANT,
    }
    for (const role of [analyst, platformAdmin]) {
      expect(all.find(({ name }) => name === role.name)).toEqual(role)
      expect((await desk.call(acme.adaPat, 'GET', `${ROLES}/${role.name}`)).json).toEqual(role)
    }
  })

  it('shows nothing of another organization, and nothing without the scope', async () => {
    await define(acme.adminToken, 'theirs', [], '/organizations/beta/roles')
    for (const path of [
      '/organizations/beta/roles',
      '/organizations/beta/roles/theirs',
      '/organizations/beta/roles/admin',
      `${ROLES}/theirs`,
      `${ROLES}/%00`,
    ])
      expect([path, ...refusalOf(await desk.call(acme.adaPat, 'GET', path))]).toEqual([path, ...NOT_FOUND])
    for (const path of [ROLES, `${ROLES}/analyst`])
      expect(refusalOf(await desk.call(acme.janePat, 'GET', path))).toEqual(FORBIDDEN)
  })
})

describe('POST roles', () => {
  it('defines one, with its version and its record', async () => {
    const answer = await define(acme.adaPat, 'reporter', [
      at(REPORTS, 'reports:read'),
      at(API, 'models:read', 'models/m1:write', 'models:read'),
    ])
    expect(answer.status).toBe(201)
    expect(answer.headers.get('etag')).toMatch(TAG)
    const permissions = [at(API, 'models/m1:write', 'models:read'), at(REPORTS, 'reports:read')]
    expect(answer.json).toEqual({
      name: 'reporter',
      organization: 'acme',
      built_in: false,
      reach: 'organization',
      permissions,
      created_at: INSTANT,
    })
    const read = await desk.call(acme.adaPat, 'GET', `${ROLES}/reporter`)
    expect([read.json, read.headers.get('etag')]).toEqual([answer.json, answer.headers.get('etag')])
    expect(await desk.eventsOf('role:reporter')).toEqual([
      {
        type: 'role.created',
        actor: adaId,
        subject: null,
        organization: 'acme',
        detail: { permissions },
      },
    ])
    const { pat } = await desk.addMember('acme', 'rita@acme.test', 'reporter')
    expect(await desk.scopeOf(pat)).toBe('models/m1:write models:read')
  })

  it('defines one of twenty at once, and says to the others that the name is taken', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => define(acme.adaPat, 'crowded', [at(API, 'models:read')])),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
    expect(new Set(answers.map(({ json }) => json['code']))).toEqual(new Set([undefined, 'name_taken']))
    expect(await desk.eventsOf('role:crowded')).toHaveLength(1)
  })

  it('leaves the names that are taken, built in or not, but not those of another organization', async () => {
    for (const name of ['platform-admin', 'admin', 'member', 'analyst'])
      expect(refusalOf(await define(acme.adminToken, name, []))).toEqual([409, 'name_taken'])
    expect((await define(acme.adminToken, 'analyst', [], '/organizations/beta/roles')).status).toBe(201)
  })

  it('names every permission that does not exist, by its place', async () => {
    const answer = await define(acme.adminToken, 'broken', [
      at('https://nowhere.example.com', 'x:y'),
      at(API, 'models:read', 'models:delete', 'reports:*'),
    ])
    const problems = [
      { path: 'permissions.0.audience', message: 'there is no resource server https://nowhere.example.com' },
      { path: 'permissions.1.scopes.1', message: `models:delete matches no scope of ${API}` },
      { path: 'permissions.1.scopes.2', message: `reports:* matches no scope of ${API}` },
    ]
    expect(answer.json).toEqual(
      problem(400, 'invalid_request', problems.map(({ path, message }) => `${path}: ${message}`).join('; '), {
        problems,
      }),
    )
    expect(refusalOf(await desk.call(acme.adminToken, 'GET', `${ROLES}/broken`))).toEqual(NOT_FOUND)
  })

  it('is for who may change the organization, and not for another', async () => {
    expect(refusalOf(await define(acme.janePat, 'x', []))).toEqual(FORBIDDEN)
    for (const slug of ['beta', 'nowhere'])
      expect(refusalOf(await define(acme.adaPat, 'x', [], `/organizations/${slug}/roles`))).toEqual(NOT_FOUND)
  })

  it.each<[string, Record<string, unknown>]>([
    ['no name', { permissions: [] }],
    ['no permissions', { name: 'x' }],
    ['a name with a blank', { name: 'a b', permissions: [] }],
    ['an audience without scopes', { name: 'x', permissions: [at(API)] }],
    ['an audience twice', { name: 'x', permissions: [at(API, 'models:read'), at(API, 'models:write')] }],
    ['a wildcard the grammar does not know', { name: 'x', permissions: [at(API, 'mod*:read')] }],
    ['a reach', { name: 'x', permissions: [], reach: 'platform' }],
    ['what is built in', { name: 'x', permissions: [], built_in: true }],
    ['an organization', { name: 'x', permissions: [], organization: 'beta' }],
    ['a member of a permission', { name: 'x', permissions: [{ ...at(API, 'models:read'), role: 'admin' }] }],
  ])('refuses %s', async (_name, body) => {
    expect(refusalOf(await desk.call(acme.adminToken, 'POST', ROLES, body))).toEqual(INVALID)
  })
})

describe('PATCH a role', () => {
  it('binds at the next exchange of everyone who has it, and is recorded', async () => {
    await define(acme.adaPat, 'shifting', [at(API, 'models:read')])
    const { pat } = await desk.addMember('acme', 'shift@acme.test', 'shifting')
    expect(await desk.scopeOf(pat)).toBe('models:read')
    const answer = await redefine(acme.adaPat, 'shifting', [
      at(API, 'models:write'),
      at(REPORTS, 'reports:read'),
    ])
    expect([answer.status, answer.json['permissions']]).toEqual([
      200,
      [at(API, 'models:write'), at(REPORTS, 'reports:read')],
    ])
    expect(await desk.scopeOf(pat)).toBe('models:write')
    await redefine(acme.adaPat, 'shifting', [at(API, 'models:read')])
    expect(await desk.scopeOf(pat)).toBe('models:read')
    const narrow = [at(API, 'models:read')]
    const wide = [at(API, 'models:write'), at(REPORTS, 'reports:read')]
    const change = (before: unknown, after: unknown) => ({
      type: 'role.updated',
      actor: adaId,
      subject: null,
      organization: 'acme',
      detail: { before: { permissions: before }, after: { permissions: after } },
    })
    expect((await desk.eventsOf('role:shifting')).slice(1)).toEqual([
      change(narrow, wide),
      change(wide, narrow),
    ])
  })

  it('to nothing leaves nothing to exchange for', async () => {
    await define(acme.adaPat, 'emptied', [at(API, 'models:read')])
    const { pat } = await desk.addMember('acme', 'empty@acme.test', 'emptied')
    await redefine(acme.adaPat, 'emptied', [])
    expect((await desk.exchange(pat)).json['error']).toBe('invalid_target')
  })

  it('to what it permits already records nothing', async () => {
    await define(acme.adaPat, 'same', [at(API, 'models:read', 'datasets:read')])
    const { headers } = await desk.call(acme.adaPat, 'GET', `${ROLES}/same`)
    const again = await redefine(acme.adaPat, 'same', [at(API, 'datasets:read', 'models:read')])
    expect([again.status, again.headers.get('etag')]).toEqual([200, headers.get('etag')])
    expect(await desk.eventsOf('role:same')).toHaveLength(1)
  })

  it('takes the version, which a role made anew under the same name does not share', async () => {
    const first = String((await define(acme.adaPat, 'etag', [at(API, 'models:read')])).headers.get('etag'))
    const second = String(
      (await redefine(acme.adaPat, 'etag', [at(API, 'models:write')], first)).headers.get('etag'),
    )
    expect(second).not.toBe(first)
    const stale = [await redefine(acme.adaPat, 'etag', [], first), await remove(acme.adaPat, 'etag', first)]
    expect(stale.map(refusalOf)).toEqual(Array(2).fill([412, 'precondition_failed']))
    expect((await remove(acme.adaPat, 'etag', second)).status).toBe(204)
    await define(acme.adaPat, 'etag', [at(API, 'models:write')])
    expect(refusalOf(await remove(acme.adaPat, 'etag', second))).toEqual([412, 'precondition_failed'])
  })

  it('is not for built-in roles, those of others, or those that are not there', async () => {
    for (const name of ['platform-admin', 'admin', 'member']) {
      expect(refusalOf(await redefine(acme.adminToken, name, []))).toEqual([409, 'built_in'])
      expect(refusalOf(await remove(acme.adminToken, name))).toEqual([409, 'built_in'])
    }
    await define(acme.adminToken, 'of-beta', [], '/organizations/beta/roles')
    for (const [name, path] of [
      ['of-beta', ROLES],
      ['of-beta', '/organizations/beta/roles'],
      ['nobody', ROLES],
    ] as const) {
      expect(refusalOf(await redefine(acme.adaPat, name, [], undefined, path))).toEqual(NOT_FOUND)
      expect(refusalOf(await remove(acme.adaPat, name, undefined, path))).toEqual(NOT_FOUND)
    }
    expect(refusalOf(await redefine(acme.janePat, 'analyst', []))).toEqual(FORBIDDEN)
    expect(refusalOf(await remove(acme.janePat, 'analyst'))).toEqual(FORBIDDEN)
  })

  it.each([
    {},
    { permissions: null },
    { permissions: [], name: 'other' },
    { permissions: [], reach: 'platform' },
  ])('refuses %j', async (body) => {
    expect(refusalOf(await desk.call(acme.adminToken, 'PATCH', `${ROLES}/analyst`, body))).toEqual(INVALID)
  })

  it('survives a resource server that goes at the same time', async () => {
    await define(acme.adminToken, 'steady', [at(API, 'models:read')])
    for (let round = 0; round < 10; round += 1) {
      const audience = `https://short-${round}.example.com`
      const { json } = await desk.admin('POST', '/resource-servers', {
        audience,
        name: 'Short-lived',
        scopes: { 'x:y': 'X' },
      })
      const [patched, deleted] = await Promise.all([
        redefine(acme.adminToken, 'steady', [at(API, 'models:read'), at(audience, 'x:y')]),
        desk.call(acme.adminToken, 'DELETE', `/resource-servers/${json['id']}`),
      ])
      // Or there was no such audience any more.
      expect([200, 400]).toContain(patched.status)
      expect(deleted.status).toBe(204)
    }
    const { json } = await desk.admin('GET', `${ROLES}/steady`)
    expect(json['permissions']).toEqual([at(API, 'models:read')])
  })
})

describe('DELETE a role', () => {
  it('leaves its members without rights from the next exchange on, until they have another', async () => {
    await define(acme.adaPat, 'brief', [at(API, 'models:read')])
    const { id, pat } = await desk.addMember('acme', 'brief@acme.test', 'brief')
    const key = await desk.issueKey('acme', 'brief')
    expect([await desk.scopeOf(pat), await desk.scopeOf(key)]).toEqual(['models:read', 'models:read'])

    expect((await remove(acme.adaPat, 'brief')).status).toBe(204)
    for (const credential of [pat, key]) {
      expect(await desk.scopeOf(credential)).toBeNull()
      expect(await desk.lastReason()).toBe('role_missing')
    }
    const member = `/organizations/acme/members/${id}`
    expect((await desk.call(acme.adaPat, 'GET', member)).json['role']).toBeNull()
    expect(refusalOf(await desk.call(acme.adaPat, 'GET', `${ROLES}/brief`))).toEqual(NOT_FOUND)

    // A new role of the same name is another one.
    await define(acme.adaPat, 'brief', [at(API, 'models:write')])
    expect([await desk.scopeOf(pat), await desk.scopeOf(key)]).toEqual([null, null])
    expect((await desk.call(acme.adaPat, 'GET', member)).json['role']).toBeNull()

    expect((await desk.call(acme.adaPat, 'PATCH', member, { role: 'brief' })).status).toBe(200)
    expect([await desk.scopeOf(pat), await desk.scopeOf(key)]).toEqual(['models:write', null])
    expect((await desk.eventsOf('role:brief'))[1]).toEqual({
      type: 'role.deleted',
      actor: adaId,
      subject: null,
      organization: 'acme',
      detail: { permissions: [at(API, 'models:read')] },
    })
    expect((await desk.eventsOf(`member:${id}`)).at(-1)?.detail).toEqual({
      before: { role: null },
      after: { role: 'brief' },
    })
  })

  it('happens once, also when two ask at once', async () => {
    await define(acme.adaPat, 'once', [])
    const answers = await Promise.all([remove(acme.adaPat, 'once'), remove(acme.adaPat, 'once')])
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 404])
    expect(await desk.eventsOf('role:once')).toHaveLength(2)
  })

  it('and giving it to somebody at the same time: they have it, then no role, or there is none to give', async () => {
    const { id } = await desk.addMember('acme', 'late@acme.test', 'member')
    const member = `/organizations/acme/members/${id}`
    for (let round = 0; round < 10; round += 1) {
      await define(acme.adaPat, 'vanishing', [])
      const [given, deleted] = await Promise.all([
        desk.call(acme.adaPat, 'PATCH', member, { role: 'vanishing' }),
        remove(acme.adaPat, 'vanishing'),
      ])
      expect([200, 400]).toContain(given.status)
      expect(deleted.status).toBe(204)
      const { json } = await desk.call(acme.adaPat, 'GET', member)
      expect(json['role']).toBe(given.status === 200 ? null : 'member')
      await desk.call(acme.adaPat, 'PATCH', member, { role: 'member' })
    }
  })
})

describe('nobody defines a role above their own rights', () => {
  const BEYOND = (right: string) =>
    problem(403, 'forbidden', `The role has management rights beyond yours: ${right}`)
  const NEW = (audience: string, scope: string) =>
    problem(422, 'permission_not_held', 'It is new to the organization', { audience, scope })

  it('not in management', async () => {
    await define(acme.adaPat, 'helper', [at(management, 'tokens:*', 'organizations:read')])
    for (const [scopes, right] of [
      [['users:*'], 'users:*'],
      [['*:*'], '*:*'],
      [['*:write'], '*:write'],
    ] as const) {
      const permissions = [at(management, ...scopes)]
      expect((await define(acme.adaPat, 'above', permissions)).json).toEqual(BEYOND(right))
      expect((await redefine(acme.adaPat, 'helper', permissions)).json).toEqual(BEYOND(right))
    }
    expect((await redefine(acme.adaPat, 'helper', [at(management, 'policy:*', 'users:read')])).status).toBe(
      200,
    )
    expect((await define(acme.adminToken, 'above', [at(management, '*:*')])).status).toBe(201)
  })

  it('nor changes or deletes one that is', async () => {
    await define(acme.adminToken, 'chief', [at(management, 'users:write')])
    expect((await redefine(acme.adaPat, 'chief', [])).json).toEqual(BEYOND('users:write'))
    expect((await remove(acme.adaPat, 'chief')).json).toEqual(BEYOND('users:write'))
    expect((await remove(acme.adminToken, 'chief')).status).toBe(204)
  })

  it('nor by a credential that holds less than its owner', async () => {
    const narrow = await desk.issue('ada@acme.test', 'acme', {
      permissions: [at(management, 'organizations:write')],
    })
    expect((await define(narrow, 'narrow', [at(management, 'organizations:read')])).json).toEqual(
      BEYOND('organizations:read'),
    )
    expect((await define(narrow, 'narrow', [at(management, 'organizations:write')])).status).toBe(201)
  })

  it('nor with what is new to the organization: that comes from the platform', async () => {
    for (const [permission, scope] of [
      [at(PLATFORM_ONLY, 'secrets:read'), 'secrets:read'],
      [at(REPORTS, 'reports:read', 'reports:*'), 'reports:*'],
      [at(API, '*:*'), '*:*'],
    ] as const) {
      const expected = NEW(permission.audience, scope)
      expect((await define(acme.adaPat, 'new', [permission])).json).toEqual(expected)
      expect((await redefine(acme.adaPat, 'engineer', [permission])).json).toEqual(expected)
    }
    const wide = [at(API, 'models:*', 'datasets:*'), at(REPORTS, 'reports/r1:read')]
    expect((await define(acme.adaPat, 'all-we-have', wide)).status).toBe(201)

    expect((await define(acme.adminToken, 'given', [at(PLATFORM_ONLY, 'secrets:read')])).status).toBe(201)
    expect((await define(acme.adaPat, 'new', [at(PLATFORM_ONLY, 'secrets/s1:read')])).status).toBe(201)
  })

  it('where what another organization was given counts for nothing', async () => {
    const boss = await desk.addMember('beta', 'boss@beta.test', 'admin')
    const path = '/organizations/beta/roles'
    const models = [at(API, 'models:read')]
    expect((await define(boss.pat, 'reader', models, path)).json).toEqual(NEW(API, 'models:read'))
    await define(acme.adminToken, 'given', models, path)
    expect((await define(boss.pat, 'reader', models, path)).status).toBe(201)
    // With the last role that has a permission, the organization gives it back.
    await remove(boss.pat, 'reader', undefined, path)
    await remove(boss.pat, 'given', undefined, path)
    expect((await define(boss.pat, 'reader', models, path)).json).toEqual(NEW(API, 'models:read'))
  })

  it('nor under a name that the platform policy exempts from the limits on lifetimes', async () => {
    const platform = acme.db.updateTable('expiry_policies').where('organization_id', 'is', null)
    await platform.set({ exempt_roles: ['robot'] }).execute()
    expect((await define(acme.adaPat, 'robot', [])).json).toEqual(
      problem(403, 'forbidden', "The platform's expiry policy exempts every role named robot"),
    )
    expect((await define(acme.adaPat, 'robots', [])).status).toBe(201)
    expect((await define(acme.adminToken, 'robot', [])).status).toBe(201)
    // Nor is it given to whom they like.
    const jane = `/organizations/acme/members/${await desk.findUserId('jane@acme.test')}`
    const give = (token: string) => desk.call(token, 'PATCH', jane, { role: 'robot' })
    const refused = await give(acme.adaPat)
    expect(refused.json).toEqual(
      problem(403, 'forbidden', "The platform's expiry policy exempts every role named robot"),
    )
    expect((await give(acme.adminToken)).status).toBe(200)
  })
})

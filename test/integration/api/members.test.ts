import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import {
  DirectoryDesk,
  FORBIDDEN,
  INSTANT,
  INVALID,
  NOBODY,
  NOT_FOUND,
  problem,
  refusalOf,
  TAG,
} from './directory-desk.ts'

const ACME = '/organizations/acme/members'
const BETA = '/organizations/beta/members'
const ENGINEER = 'datasets:read models:read models:write'
const ANALYST = 'datasets:read models:read'

let acme: Acme
let desk: DirectoryDesk
const ids: Record<string, string> = {}
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  for (const name of ['jane', 'sam', 'ada']) ids[name] = await desk.findUserId(`${name}@acme.test`)
  ids['admin'] = await desk.findUserId('admin@localhost')
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
  const permissions = [{ audience: API, scopes: ['models:read'] }]
  await desk.admin('POST', '/organizations/beta/roles', { name: 'reader', permissions })
})
afterAll(() => acme.stop())

const add = (token: string, body: unknown, path = ACME) => desk.call(token, 'POST', path, body)
const patch = (token: string, id: string | undefined, role: unknown, path = ACME, ifMatch?: string) =>
  desk.call(token, 'PATCH', `${path}/${id}`, { role }, ifMatch)
const remove = (token: string, id: string | undefined, path = ACME, ifMatch?: string) =>
  desk.call(token, 'DELETE', `${path}/${id}`, undefined, ifMatch)

describe('GET members', () => {
  it('shows each once, by user id, whatever the size of a page', async () => {
    const all = await desk.listAll(acme.adaPat, ACME, 200)
    expect(all.find(({ role }) => role === 'analyst')).toEqual({
      user_id: ids['jane'],
      email: 'jane@acme.test',
      name: 'Jane',
      status: 'active',
      role: 'analyst',
      created_at: INSTANT,
    })
    const order = all.map(({ user_id }) => String(user_id))
    expect(order).toEqual([ids['jane'], ids['sam'], ids['ada']].sort())
    expect(await desk.listAll(acme.adaPat, ACME, 1)).toEqual(all)
    expect((await desk.admin('GET', `${ACME}/${ids['jane']}`)).json).toEqual(
      all.find(({ user_id }) => user_id === ids['jane']),
    )
  })

  it('shows nothing of another organization, and nothing without the scope', async () => {
    const { id } = await desk.addMember('beta', 'bea@beta.test', 'reader')
    for (const path of [BETA, `${BETA}/${id}`, `${ACME}/${id}`, `${ACME}/${NOBODY}`, `${ACME}/x`])
      expect([path, ...refusalOf(await desk.call(acme.adaPat, 'GET', path))]).toEqual([path, ...NOT_FOUND])
    for (const path of [ACME, `${ACME}/${ids['jane']}`])
      expect(refusalOf(await desk.call(acme.janePat, 'GET', path))).toEqual(FORBIDDEN)
  })

  it('shows no deleted user, who can be made a member no more', async () => {
    const { id } = await desk.addMember('beta', 'lost@beta.test', 'reader')
    await acme.db.updateTable('users').set({ status: 'deleted' }).where('id', '=', id).execute()
    const listed = (await desk.listAll(acme.adminToken, BETA, 200)).map(({ user_id }) => user_id)
    expect(listed).not.toContain(id)
    const answers = [
      await desk.call(acme.adminToken, 'GET', `${BETA}/${id}`),
      await patch(acme.adminToken, id, 'reader', BETA),
      await remove(acme.adminToken, id, BETA),
      await add(acme.adminToken, { user_id: id, role: 'analyst' }),
      await add(acme.adminToken, { email: 'lost@beta.test', role: 'analyst' }),
    ]
    expect(answers.map(refusalOf)).toEqual(Array(5).fill(NOT_FOUND))
  })
})

describe('POST members', () => {
  it('makes a user a member, with the version and the record', async () => {
    const id = await desk.addUser('nora@nowhere.test')
    const answer = await add(acme.adaPat, { email: 'NORA@nowhere.test', role: 'analyst' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('etag')).toMatch(TAG)
    expect(answer.json).toEqual({
      user_id: id,
      email: 'nora@nowhere.test',
      name: 'Somebody',
      status: 'active',
      role: 'analyst',
      created_at: INSTANT,
    })
    expect(await desk.eventsOf(`member:${id}`)).toEqual([
      {
        type: 'member.added',
        actor: ids['ada'],
        subject: id,
        organization: 'acme',
        detail: { role: 'analyst' },
      },
    ])
    expect(await desk.scopeOf(await desk.issue('nora@nowhere.test', 'acme'))).toBe(ANALYST)
  })

  it('finds a user elsewhere by e-mail address alone, unless the rights are platform-wide', async () => {
    const id = await desk.addUser('otto@nowhere.test')
    const unseen = await add(acme.adaPat, { user_id: id, role: 'member' })
    const unknown = await add(acme.adaPat, { user_id: NOBODY, role: 'member' })
    expect(unseen.json).toEqual(problem(404, 'not_found', 'There is no such user'))
    expect(unknown.json).toEqual(unseen.json)
    expect((await add(acme.adminToken, { user_id: id, role: 'member' })).status).toBe(201)
  })

  it('knows who is a member already, and leaves their role alone', async () => {
    for (const who of [{ user_id: ids['jane'] }, { email: 'jane@acme.test' }]) {
      const answer = await add(acme.adaPat, { ...who, role: 'member' })
      expect(answer.json).toEqual(problem(409, 'name_taken', 'The user is a member already'))
    }
    expect((await desk.admin('GET', `${ACME}/${ids['jane']}`)).json['role']).toBe('analyst')
  })

  it('makes a user a member once, of twenty at once', async () => {
    const id = await desk.addUser('crowd@nowhere.test')
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => add(acme.adminToken, { user_id: id, role: 'analyst' })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
    expect(await desk.eventsOf(`member:${id}`)).toHaveLength(1)
  })

  it('refuses a role the organization does not have, by name', async () => {
    for (const role of ['nobody', 'reader']) {
      const answer = await add(acme.adminToken, { email: 'jane@acme.test', role })
      expect(answer.json).toEqual(
        problem(400, 'invalid_request', `role: there is no role ${role}`, {
          problems: [{ path: 'role', message: `there is no role ${role}` }],
        }),
      )
    }
  })

  it('is for who may change the organization, and not for another', async () => {
    const body = { email: 'jane@acme.test', role: 'member' }
    expect(refusalOf(await add(acme.janePat, body))).toEqual(FORBIDDEN)
    for (const path of [BETA, '/organizations/nowhere/members'])
      expect(refusalOf(await add(acme.adaPat, body, path))).toEqual(NOT_FOUND)
  })

  it.each<[string, Record<string, unknown>]>([
    ['nobody', { role: 'member' }],
    ['two ways to name a user', { user_id: NOBODY, email: 'x@acme.test', role: 'member' }],
    ['no role', { email: 'x@acme.test' }],
    ['a null role', { email: 'x@acme.test', role: null }],
    ['an id that is none', { user_id: '%00', role: 'member' }],
    ['a control character in the address', { email: 'x\u0000@acme.test', role: 'member' }],
    ['a role id', { email: 'x@acme.test', role: 'member', role_id: NOBODY }],
    ['an owner', { email: 'x@acme.test', role: 'member', owner: NOBODY }],
  ])('refuses %s', async (_name, body) => {
    expect(refusalOf(await add(acme.adminToken, body))).toEqual(INVALID)
  })
})

describe('PATCH a member', () => {
  it('binds at the next exchange, down and up again, and is recorded each time', async () => {
    const { id, pat } = await desk.addMember('acme', 'demo@acme.test', 'engineer')
    expect(await desk.scopeOf(pat)).toBe(ENGINEER)
    const demoted = await patch(acme.adaPat, id, 'analyst')
    expect([demoted.status, demoted.json['role']]).toEqual([200, 'analyst'])
    expect(await desk.scopeOf(pat)).toBe(ANALYST)
    await patch(acme.adaPat, id, 'engineer')
    expect(await desk.scopeOf(pat)).toBe(ENGINEER)
    const change = (before: string, after: string) => ({
      type: 'member.changed',
      actor: ids['ada'],
      subject: id,
      organization: 'acme',
      detail: { before: { role: before }, after: { role: after } },
    })
    expect((await desk.eventsOf(`member:${id}`)).slice(1)).toEqual([
      change('engineer', 'analyst'),
      change('analyst', 'engineer'),
    ])
  })

  it('to the role they have changes and records nothing', async () => {
    const before = await desk.eventsOf(`member:${ids['jane']}`)
    expect((await patch(acme.adaPat, ids['jane'], 'analyst')).status).toBe(200)
    expect(await desk.eventsOf(`member:${ids['jane']}`)).toEqual(before)
  })

  it('takes the version', async () => {
    const { id } = await desk.addMember('acme', 'etag@acme.test', 'member')
    const first = String((await desk.admin('GET', `${ACME}/${id}`)).headers.get('etag'))
    const second = String((await patch(acme.adaPat, id, 'analyst', ACME, first)).headers.get('etag'))
    expect(second).not.toBe(first)
    const stale = [
      await patch(acme.adaPat, id, 'engineer', ACME, first),
      await remove(acme.adaPat, id, ACME, first),
    ]
    expect(stale.map(refusalOf)).toEqual(Array(2).fill([412, 'precondition_failed']))
    expect((await remove(acme.adaPat, id, ACME, second)).status).toBe(204)
  })

  it('lets one of two changes through that both saw the same version', async () => {
    const { id } = await desk.addMember('acme', 'twice@acme.test', 'member')
    const seen = String((await desk.admin('GET', `${ACME}/${id}`)).headers.get('etag'))
    const answers = await Promise.all(
      ['analyst', 'engineer'].map((role) => patch(acme.adaPat, id, role, ACME, seen)),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412])
  })

  it('is for members alone, and not for another organization', async () => {
    const { id } = await desk.addMember('beta', 'ben@beta.test', 'reader')
    for (const who of [id, ids['admin'], NOBODY, 'x', '%00']) {
      expect(refusalOf(await patch(acme.adaPat, who, 'member'))).toEqual(NOT_FOUND)
      expect(refusalOf(await remove(acme.adaPat, who))).toEqual(NOT_FOUND)
    }
    expect(refusalOf(await patch(acme.adaPat, id, 'reader', BETA))).toEqual(NOT_FOUND)
    expect(refusalOf(await remove(acme.adaPat, id, BETA))).toEqual(NOT_FOUND)
    expect(refusalOf(await patch(acme.janePat, ids['jane'], 'engineer'))).toEqual(FORBIDDEN)
    expect(refusalOf(await remove(acme.janePat, ids['sam']))).toEqual(FORBIDDEN)
    expect((await desk.admin('GET', `${BETA}/${id}`)).json['role']).toBe('reader')
  })

  it.each([{}, { role: null }, { role: 'analyst', status: 'active' }, { role: 'a b' }, { role: 'nobody' }])(
    'refuses %j',
    async (body) => {
      const answer = await desk.call(acme.adaPat, 'PATCH', `${ACME}/${ids['jane']}`, body)
      expect(refusalOf(answer)).toEqual(INVALID)
    },
  )
})

describe('DELETE a member', () => {
  it('binds at the next exchange, and adding them again gives the credentials their rights back', async () => {
    const { id, pat } = await desk.addMember('acme', 'back@acme.test', 'engineer')
    expect(await desk.scopeOf(pat)).toBe(ENGINEER)
    expect((await remove(acme.adaPat, id)).status).toBe(204)
    expect(await desk.scopeOf(pat)).toBeNull()
    expect(await desk.lastReason()).toBe('membership_missing')
    expect(refusalOf(await desk.call(acme.adaPat, 'GET', `${ACME}/${id}`))).toEqual(NOT_FOUND)
    expect(refusalOf(await remove(acme.adaPat, id))).toEqual(NOT_FOUND)

    expect((await add(acme.adaPat, { email: 'back@acme.test', role: 'analyst' })).status).toBe(201)
    expect(await desk.scopeOf(pat)).toBe(ANALYST)
    const events = await desk.eventsOf(`member:${id}`)
    expect(events.map(({ type }) => type)).toEqual(['member.added', 'member.removed', 'member.added'])
    expect(events[1]).toEqual({
      type: 'member.removed',
      actor: ids['ada'],
      subject: id,
      organization: 'acme',
      detail: { role: 'engineer' },
    })
  })

  it('leaves what they have in another organization alone', async () => {
    const { id, pat } = await desk.addMember('beta', 'both@beta.test', 'reader')
    await add(acme.adminToken, { user_id: id, role: 'engineer' })
    await remove(acme.adaPat, id)
    expect(await desk.scopeOf(pat)).toBe('models:read')
  })
})

describe('a PAT', () => {
  it('stays bound to its organization when its owner joins another one', async () => {
    const { id, pat } = await desk.addMember('beta', 'joins@beta.test', 'reader')
    await add(acme.adminToken, { user_id: id, role: 'engineer' })
    expect([await desk.organizationOf(pat), await desk.scopeOf(pat)]).toEqual(['beta', 'models:read'])
    const second = await desk.issue('joins@beta.test', 'acme')
    expect([await desk.organizationOf(second), await desk.scopeOf(second)]).toEqual(['acme', ENGINEER])
    await remove(acme.adminToken, id, BETA)
    expect(await desk.scopeOf(pat)).toBeNull()
    expect(await desk.scopeOf(second)).toBe(ENGINEER)
  })
})

describe('nobody grants a role above their own rights', () => {
  const BEYOND = (right: string) => problem(403, 'forbidden', `The role has rights beyond yours: ${right}`)
  const ABOVE = (right: string) =>
    problem(403, 'forbidden', `The member has management rights beyond yours: ${right}`)

  beforeAll(async () => {
    await desk.admin('POST', '/organizations/acme/roles', {
      name: 'keeper',
      permissions: [{ audience: `${acme.issuer}/api`, scopes: ['organizations:*', 'users:write'] }],
    })
  })

  it('neither to others nor to themselves', async () => {
    const id = await desk.addUser('rising@acme.test')
    for (const [role, right] of [
      ['platform-admin', 'every organization'],
      ['keeper', 'users:write'],
    ] as const) {
      expect((await add(acme.adaPat, { email: 'rising@acme.test', role })).json).toEqual(BEYOND(right))
      expect((await patch(acme.adaPat, ids['jane'], role)).json).toEqual(BEYOND(right))
      expect((await patch(acme.adaPat, ids['ada'], role)).json).toEqual(BEYOND(right))
    }
    expect(refusalOf(await desk.call(acme.adminToken, 'GET', `${ACME}/${id}`))).toEqual(NOT_FOUND)
    expect((await desk.admin('GET', `${ACME}/${ids['ada']}`)).json['role']).toBe('admin')
    // The boundary: a role just as high, and any business rights.
    expect((await add(acme.adaPat, { email: 'rising@acme.test', role: 'admin' })).status).toBe(201)
    expect((await patch(acme.adaPat, id, 'engineer')).status).toBe(200)
  })

  it('by a credential that holds less than its owner', async () => {
    const narrow = await desk.issue('ada@acme.test', 'acme', {
      permissions: [{ audience: `${acme.issuer}/api`, scopes: ['organizations:write'] }],
    })
    expect((await patch(narrow, ids['jane'], 'admin')).json).toEqual(BEYOND('tokens:*'))
    expect((await patch(narrow, ids['ada'], 'analyst')).json).toEqual(ABOVE('tokens:*'))
    const { id } = await desk.addMember('acme', 'narrow@acme.test', 'analyst')
    expect((await patch(narrow, id, 'engineer')).status).toBe(200)
  })

  it('and nobody demotes or removes whom they are below', async () => {
    const platform = await desk.addMember('acme', 'boss@acme.test', 'platform-admin')
    const keeper = await desk.addMember('acme', 'keeper@acme.test', 'keeper')
    for (const [{ id }, right] of [
      [platform, 'every organization'],
      [keeper, 'users:write'],
    ] as const) {
      expect((await patch(acme.adaPat, id, 'member')).json).toEqual(ABOVE(right))
      expect((await remove(acme.adaPat, id)).json).toEqual(ABOVE(right))
      expect((await remove(acme.adminToken, id)).status).toBe(204)
    }
  })

  it('while platform-wide rights reach every organization, and those of one admin one', async () => {
    const beta = await desk.addMember('beta', 'bob@beta.test', 'admin')
    const wide = await desk.addMember('beta', 'wide@beta.test', 'platform-admin')
    expect(refusalOf(await patch(beta.pat, ids['jane'], 'member'))).toEqual(NOT_FOUND)
    expect((await patch(wide.pat, ids['jane'], 'engineer')).status).toBe(200)
    expect((await patch(wide.pat, ids['jane'], 'analyst')).status).toBe(200)
  })
})

describe('the last platform admin', () => {
  const DEFAULT = '/organizations/default/members'
  const LAST = [409, 'last_platform_admin']

  it('is neither demoted nor removed, until there is another who is active', async () => {
    await acme.db
      .updateTable('memberships')
      .set({ role_id: acme.db.selectFrom('roles').select('id').where('name', '=', 'member') })
      .where('user_id', '<>', ids['admin'] ?? '')
      .where('role_id', 'in', acme.db.selectFrom('roles').select('id').where('name', '=', 'platform-admin'))
      .execute()
    const attempts = async () => [
      refusalOf(await patch(acme.adminToken, ids['admin'], 'member', DEFAULT)),
      refusalOf(await remove(acme.adminToken, ids['admin'], DEFAULT)),
    ]
    expect(await attempts()).toEqual([LAST, LAST])
    const other = await desk.addMember('beta', 'other@beta.test', 'platform-admin')
    await acme.db.updateTable('users').set({ status: 'suspended' }).where('id', '=', other.id).execute()
    expect(await attempts()).toEqual([LAST, LAST])
    expect(await desk.eventsOf(`member:${ids['admin']}`)).toEqual([])

    await acme.db.updateTable('users').set({ status: 'active' }).where('id', '=', other.id).execute()
    expect((await patch(acme.adminToken, ids['admin'], 'member', DEFAULT)).status).toBe(200)
    expect(refusalOf(await patch(other.pat, other.id, 'member', BETA))).toEqual(LAST)
    expect((await patch(other.pat, ids['admin'], 'platform-admin', DEFAULT)).status).toBe(200)
    expect((await remove(acme.adminToken, other.id, BETA)).status).toBe(204)
  })

  it('is left when two remove each other at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const other = await desk.addMember('beta', `duel-${round}@beta.test`, 'platform-admin')
      const answers = await Promise.all([
        remove(other.pat, ids['admin'], DEFAULT),
        remove(acme.adminToken, other.id, BETA),
      ])
      // Who lost before their own call was judged is nobody any more.
      const statuses = answers.map(({ status }) => status).sort()
      expect([
        [204, 401],
        [204, 409],
      ]).toContainEqual(statuses)
      if (answers[0].status === 204)
        await add(other.pat, { user_id: ids['admin'], role: 'platform-admin' }, DEFAULT)
      else continue
      expect((await remove(acme.adminToken, other.id, BETA)).status).toBe(204)
    }
  })
})

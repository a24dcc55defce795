import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { callForValue } from './credential-desk.ts'
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

let acme: Acme
let desk: DirectoryDesk
let adminId: string
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  adminId = await desk.findUserId('admin@localhost')
})
afterAll(() => acme.stop())

const create = (slug: string, token = acme.adminToken) =>
  desk.call(token, 'POST', '/organizations', { slug, name: `The ${slug}` })

describe('GET /organizations', () => {
  it('shows all to platform-wide rights, oldest first and once, whatever the size of a page', async () => {
    const all = await desk.listAll(acme.adminToken, '/organizations', 200)
    const slugs = all.map(({ slug }) => slug)
    expect(slugs.slice(0, 2)).toEqual(['default', 'acme'])
    expect(await desk.listAll(acme.adminToken, '/organizations', 1)).toEqual(all)
  })

  it('shows their own to everyone else', async () => {
    expect(await desk.listAll(acme.adaPat, '/organizations', 1)).toEqual([
      { id: expect.any(String), slug: 'acme', name: 'Acme', created_at: INSTANT },
    ])
    for (const slug of ['default', 'nowhere', '%00', 'A'])
      expect(refusalOf(await desk.call(acme.adaPat, 'GET', `/organizations/${slug}`))).toEqual(NOT_FOUND)
    expect((await desk.call(acme.adaPat, 'GET', '/organizations/acme')).status).toBe(200)
  })

  it('takes the scope', async () => {
    for (const path of ['/organizations', '/organizations/acme'])
      expect(refusalOf(await desk.call(acme.janePat, 'GET', path))).toEqual(FORBIDDEN)
  })
})

describe('POST /organizations', () => {
  it('makes one, with its version and its record', async () => {
    const answer = await create('gamma')
    expect(answer.status).toBe(201)
    expect(answer.headers.get('etag')).toMatch(TAG)
    expect(answer.json).toEqual({
      id: expect.any(String),
      slug: 'gamma',
      name: 'The gamma',
      created_at: INSTANT,
    })
    const read = await desk.call(acme.adminToken, 'GET', '/organizations/gamma')
    expect([read.status, read.json, read.headers.get('etag')]).toEqual([
      200,
      answer.json,
      answer.headers.get('etag'),
    ])
    expect(await desk.eventsOf('organization:gamma')).toEqual([
      {
        type: 'organization.created',
        actor: adminId,
        subject: null,
        organization: 'gamma',
        detail: { name: 'The gamma' },
      },
    ])
  })

  it('is not for rights in one organization, whatever the scope', async () => {
    const answer = await create('by-ada', acme.adaPat)
    expect(answer.json).toEqual(
      problem(403, 'forbidden', 'Creating an organization takes rights in every organization'),
    )
    expect(refusalOf(await create('by-jane', acme.janePat))).toEqual(FORBIDDEN)
    expect(refusalOf(await desk.call(acme.adminToken, 'GET', '/organizations/by-ada'))).toEqual(NOT_FOUND)
  })

  it('makes one of twenty at once, and says to the others that the slug is taken', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('crowded')))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
    expect(new Set(answers.map(({ json }) => json['code']))).toEqual(new Set([undefined, 'name_taken']))
    expect(await desk.eventsOf('organization:crowded')).toHaveLength(1)
  })

  it.each<[string, unknown]>([
    ['no slug', { name: 'X' }],
    ['no name', { slug: 'x' }],
    ['a slug in capitals', { slug: 'X', name: 'X' }],
    ['a slug of 64 characters', { slug: 'x'.repeat(64), name: 'X' }],
    ['a slug with a way out', { slug: '../x', name: 'X' }],
    ['a name of 201 characters', { slug: 'x', name: 'x'.repeat(201) }],
    ['a control character in the name', { slug: 'x', name: 'a\u0000b' }],
    ['an id', { slug: 'x', name: 'X', id: '00000000-0000-7000-8000-000000000000' }],
    ['an instant of deletion', { slug: 'x', name: 'X', deleted_at: null }],
    ['a list', []],
  ])('refuses %s', async (_name, body) => {
    expect(refusalOf(await desk.call(acme.adminToken, 'POST', '/organizations', body))).toEqual(INVALID)
    expect(refusalOf(await desk.call(acme.adminToken, 'GET', '/organizations/x'))).toEqual(NOT_FOUND)
  })

  it('takes a slug of 63 characters and a name of 200, as they are', async () => {
    const [slug, name] = ['y'.repeat(63), '🙂'.repeat(200)]
    const { json } = await desk.admin('POST', '/organizations', { slug, name })
    expect(json).toMatchObject({ slug, name })
  })
})

describe('PATCH /organizations/{slug}', () => {
  const patch = (name: string, token = acme.adminToken, ifMatch?: string) =>
    desk.call(token, 'PATCH', '/organizations/renamed', { name }, ifMatch)

  it('renames, for whoever has seen the name it had', async () => {
    const created = await create('renamed')
    const first = String(created.headers.get('etag'))
    const renamed = await patch('Other', acme.adminToken, first)
    expect([renamed.status, renamed.json]).toEqual([200, { ...created.json, name: 'Other' }])
    const second = String(renamed.headers.get('etag'))
    expect(second).not.toBe(first)
    expect(refusalOf(await patch('Third', acme.adminToken, first))).toEqual([412, 'precondition_failed'])
    expect((await patch('Third', acme.adminToken, second)).json['name']).toBe('Third')
    expect((await patch('Third')).status).toBe(200)
    const change = (before: string, after: string) => ({
      type: 'organization.updated',
      actor: adminId,
      subject: null,
      organization: 'renamed',
      detail: { before: { name: before }, after: { name: after } },
    })
    expect((await desk.eventsOf('organization:renamed')).slice(1)).toEqual([
      change('The renamed', 'Other'),
      change('Other', 'Third'),
    ])
  })

  it('is for its own admin too, and not for the admin of another', async () => {
    const rename = (token: string, slug: string) =>
      desk.call(token, 'PATCH', `/organizations/${slug}`, { name: 'By Ada' })
    expect((await rename(acme.adaPat, 'acme')).json['name']).toBe('By Ada')
    for (const slug of ['default', 'renamed', 'nowhere', '%00', 'A'])
      expect(refusalOf(await rename(acme.adaPat, slug))).toEqual(NOT_FOUND)
    expect(refusalOf(await rename(acme.janePat, 'acme'))).toEqual(FORBIDDEN)
    expect((await desk.admin('GET', '/organizations/default')).json['name']).toBe('Default')
  })

  it.each([{}, { slug: 'other' }, { name: 'X', slug: 'other' }, { name: null }, { name: ' ' }])(
    'refuses %j',
    async (body) => {
      expect(refusalOf(await desk.call(acme.adminToken, 'PATCH', '/organizations/acme', body))).toEqual(
        INVALID,
      )
    },
  )
})

describe('DELETE /organizations/{slug}', () => {
  const remove = (slug: string, token = acme.adminToken, ifMatch?: string) =>
    desk.call(token, 'DELETE', `/organizations/${slug}`, undefined, ifMatch)

  it('stops every credential in it at the next exchange, and it exists no more', async () => {
    await create('doomed')
    await desk.admin('POST', '/organizations/doomed/roles', {
      name: 'analyst',
      permissions: [{ audience: 'https://api.example.com', scopes: ['models:read'] }],
    })
    const { id, pat } = await desk.addMember('doomed', 'dora@doomed.test', 'analyst')
    const manager = await desk.addMember('doomed', 'max@doomed.test', 'admin')
    expect(await desk.scopeOf(pat)).toBe('models:read')

    expect((await remove('doomed')).status).toBe(204)
    expect(await desk.scopeOf(pat)).toBeNull()
    expect(await desk.lastReason()).toBe('organization_deleted')
    expect((await desk.call(manager.pat, 'GET', '/organizations')).status).toBe(401)

    const slugs = (await desk.listAll(acme.adminToken, '/organizations', 200)).map(({ slug }) => slug)
    expect(slugs).not.toContain('doomed')
    const calls: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'X' }],
      ['DELETE', ''],
      ['GET', '/members'],
      ['POST', '/members', { user_id: id, role: 'member' }],
      ['GET', `/members/${id}`],
      ['PATCH', `/members/${id}`, { role: 'member' }],
      ['DELETE', `/members/${id}`],
      ['GET', '/roles'],
      ['POST', '/roles', { name: 'x', permissions: [] }],
      ['GET', '/roles/analyst'],
      ['PATCH', '/roles/analyst', { permissions: [] }],
      ['DELETE', '/roles/analyst'],
    ]
    for (const [method, rest, body] of calls) {
      const answer = await desk.call(acme.adminToken, method, `/organizations/doomed${rest}`, body)
      expect([method, rest, ...refusalOf(answer)]).toEqual([method, rest, ...NOT_FOUND])
    }
    expect(await desk.eventsOf('organization:doomed')).toEqual([
      expect.objectContaining({ type: 'organization.created' }),
      {
        type: 'organization.deleted',
        actor: adminId,
        subject: null,
        organization: 'doomed',
        detail: null,
      },
    ])
  })

  it('frees the names of the PATs in it, which nobody could revoke any more', async () => {
    await desk.admin('POST', '/organizations', { slug: 'names', name: 'Names' })
    const { id } = await desk.addMember('names', 'names@acme.test', 'member')
    await desk.admin('POST', '/organizations/acme/members', { user_id: id, role: 'analyst' })
    await desk.issue('names@acme.test', 'names', { name: 'the one' })
    const issueInAcme = () =>
      callForValue(acme.url, acme.adminToken, `/users/${id}/tokens`, {
        name: 'the one',
        organization: 'acme',
      })
    expect(refusalOf(await issueInAcme())).toEqual([409, 'token_name_taken'])
    await desk.admin('DELETE', '/organizations/names')
    expect((await issueInAcme()).status).toBe(201)
  })

  it('keeps its slug for ever: what tokens call by it never means another one', async () => {
    await create('gone')
    await remove('gone')
    const answer = await create('gone')
    expect(answer.json).toEqual(
      problem(409, 'name_taken', 'The slug gone is taken, perhaps by a deleted organization'),
    )
  })

  it('is not for rights in one organization, not even its own', async () => {
    expect((await remove('acme', acme.adaPat)).json).toEqual(
      problem(403, 'forbidden', 'Deleting an organization takes rights in every organization'),
    )
    expect(refusalOf(await remove('default', acme.adaPat))).toEqual(NOT_FOUND)
    expect(refusalOf(await remove('acme', acme.janePat))).toEqual(FORBIDDEN)
    expect((await desk.admin('GET', '/organizations/acme')).status).toBe(200)
  })

  it('spares `default`, and the organization of the credential that asks', async () => {
    await create('ops')
    const { pat } = await desk.addMember('ops', 'olga@ops.test', 'platform-admin')
    for (const token of [acme.adminToken, pat])
      expect(refusalOf(await remove('default', token))).toEqual([409, 'built_in'])
    expect((await remove('ops', pat)).json).toEqual(
      problem(409, 'in_use', 'The credential you call with is of this organization'),
    )
    expect((await remove('ops')).status).toBe(204)
  })

  it('takes the version', async () => {
    const first = String((await create('versioned')).headers.get('etag'))
    await desk.admin('PATCH', '/organizations/versioned', { name: 'Changed' })
    const stale = await remove('versioned', acme.adminToken, first)
    expect(refusalOf(stale)).toEqual([412, 'precondition_failed'])
    const { headers } = await desk.admin('GET', '/organizations/versioned')
    expect((await remove('versioned', acme.adminToken, String(headers.get('etag')))).status).toBe(204)
  })

  it('never takes the last platform admin away', async () => {
    await create('home')
    await desk.addMember('home', 'hanna@home.test', 'platform-admin')
    const key = await desk.issueKey('default', 'platform-admin')
    const admins = '/organizations/default/members'
    expect((await desk.call(key, 'DELETE', `${admins}/${adminId}`)).status).toBe(204)
    expect(refusalOf(await remove('home', key))).toEqual([409, 'last_platform_admin'])
    expect((await desk.call(key, 'GET', '/organizations/home')).status).toBe(200)

    await desk.call(key, 'POST', admins, { user_id: adminId, role: 'platform-admin' })
    expect((await remove('home', key)).status).toBe(204)
  })
})

// Who may issue a PAT for somebody else, and what such a PAT and an API key may ever manage.

import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { ISSUER } from '../../support/test-server.ts'
import { callForValue, idOf, rotateItself, rowOf } from './credential-desk.ts'
import { DirectoryDesk, FORBIDDEN, NOT_FOUND, problem, refusalOf } from './directory-desk.ts'

const MANAGEMENT = `${ISSUER}/api`

let acme: Acme
let desk: DirectoryDesk
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
})
afterAll(() => acme.stop())

const issue = (token: string, userId: string, body: object = {}): Promise<Answer> =>
  callForValue(acme.url, token, `/users/${userId}/tokens`, { name: `for ${crypto.randomUUID()}`, ...body })

const defineRole = (name: string, permissions: object[]) =>
  desk.admin('POST', '/organizations/acme/roles', { name, permissions })
const giveRole = (userId: string, role: string) =>
  desk.admin('PATCH', `/organizations/acme/members/${userId}`, { role })
const manage = (...scopes: string[]) => ({ audience: MANAGEMENT, scopes })
const use = (...scopes: string[]) => ({ audience: API, scopes })

let made = 0
/** A new member of acme whose role permits this. */
async function addMember(...permissions: object[]): Promise<{ id: string; pat: string }> {
  made += 1
  await defineRole(`role-${made}`, permissions)
  return desk.addMember('acme', `member-${made}@acme.test`, `role-${made}`)
}

const beyond = (right: string) =>
  problem(403, 'forbidden', `The PAT would have rights beyond yours: ${right}`)

describe('a user who also belongs to another organization', () => {
  const ELSEWHERE = problem(403, 'forbidden', 'The user also belongs to an organization beyond your reach')
  const join = (id: string, role = 'member') =>
    desk.admin('POST', '/organizations/beta/members', { user_id: id, role })

  it('gets a PAT from nobody who administers one of them: the PAT would speak for them', async () => {
    const { id } = await desk.addMember('acme', 'both@acme.test', 'member')
    expect((await issue(acme.adaPat, id)).status).toBe(201)
    await join(id)
    for (const body of [{}, { organization: 'acme' }, { organization: 'beta' }]) {
      const answer = await issue(acme.adaPat, id, body)
      expect([answer.status, answer.json]).toEqual([403, ELSEWHERE])
    }
    expect((await issue(acme.adminToken, id, { organization: 'acme' })).status).toBe(201)
    await desk.admin('DELETE', `/organizations/beta/members/${id}`)
    expect((await issue(acme.adaPat, id)).status).toBe(201)
  })

  it('is not bound by an organization that was deleted', async () => {
    const { id } = await desk.addMember('acme', 'survivor@acme.test', 'member')
    await desk.admin('POST', '/organizations', { slug: 'gone', name: 'Gone' })
    await desk.admin('POST', '/organizations/gone/members', { user_id: id, role: 'member' })
    expect(refusalOf(await issue(acme.adaPat, id))).toEqual(FORBIDDEN)
    await desk.admin('DELETE', '/organizations/gone')
    expect((await issue(acme.adaPat, id)).status).toBe(201)
  })

  it('does not exist for whoever administers none of them', async () => {
    const { id } = await desk.addMember('beta', 'afar@acme.test', 'member')
    expect(refusalOf(await issue(acme.adaPat, id))).toEqual(NOT_FOUND)
  })
})

describe('what a PAT for somebody else may do', () => {
  it('is what its issuer may do, at services as well', async () => {
    const jane = await desk.findUserId('jane@acme.test')
    const clerk = await addMember(manage('tokens:issue'))
    expect((await issue(clerk.pat, jane)).json).toEqual(beyond(`datasets:* at ${API}`))
    const reader = await addMember(manage('tokens:issue'), use('models:read', 'datasets:read'))
    expect((await issue(reader.pat, jane)).json).toEqual(beyond(`datasets:* at ${API}`))
    const equal = await addMember(manage('tokens:issue'), use('models:read', 'datasets:*'))
    expect((await issue(equal.pat, jane)).status).toBe(201)
  })

  it('counts as far as it was narrowed', async () => {
    const jane = await desk.findUserId('jane@acme.test')
    const reader = await addMember(manage('tokens:issue'), use('models:read'))
    const narrowed = (...scopes: string[]) => issue(reader.pat, jane, { permissions: [use(...scopes)] })
    expect((await narrowed('models:read')).status).toBe(201)
    expect((await narrowed('models/m1:read')).status).toBe(201)
    expect((await narrowed('models:read', 'datasets:read')).json).toEqual(beyond(`datasets:read at ${API}`))
  })

  it('is anything at services for whoever may give the role as well', async () => {
    const jane = await desk.findUserId('jane@acme.test')
    const warden = await addMember(manage('tokens:issue', 'organizations:write'))
    expect((await issue(warden.pat, jane)).status).toBe(201)
  })

  /** Issues while a change of the owner is under way that commits once the first check has passed. */
  async function issueDuring(id: string, change: (tx: Acme['db']) => Promise<unknown>): Promise<Answer> {
    return acme.db
      .transaction()
      .execute(async (tx) => {
        await tx.selectFrom('users').select('id').where('id', '=', id).forNoKeyUpdate().execute()
        acme.takeQueries()
        const answer = issue(acme.adaPat, id)
        await expect
          .poll(() => acme.takeQueries().some((one) => one === 'begin' || /^start transaction/.test(one)))
          .toBe(true)
        await change(tx)
        return { answer }
      })
      .then(({ answer }) => answer)
  }

  it('is judged by what the owner is when it is issued, not shortly before', async () => {
    const { id } = await desk.addMember('acme', 'riser@acme.test', 'member')
    const platform = acme.db.selectFrom('roles').select('id').where('name', '=', 'platform-admin')
    const risen = await issueDuring(id, (tx) =>
      tx.updateTable('memberships').set({ role_id: platform }).where('user_id', '=', id).execute(),
    )
    expect([risen.status, risen.json]).toEqual([403, beyond('every organization')])
    const mover = await desk.addMember('acme', 'mover@acme.test', 'member')
    const beta = acme.db.selectFrom('organizations').select('id').where('slug', '=', 'beta')
    const moved = await issueDuring(mover.id, (tx) =>
      tx
        .insertInto('memberships')
        .values({ user_id: mover.id, organization_id: beta, role_id: null, created_at: new Date() })
        .execute(),
    )
    expect(refusalOf(moved)).toEqual(FORBIDDEN)
  })
})

describe('a credential that somebody else has seen', () => {
  const me = async (token: string) => (await callApi(acme.url, token, 'GET', '/me')).json
  const tokenOf = async (subject_token: string): Promise<Record<string, unknown>> =>
    (await requestExchange(acme.url, { subject_token, audience: MANAGEMENT })).json
  const explain = async (token: string, credential: string, scope?: string) => {
    const body = { credential: idOf(credential), audience: MANAGEMENT, scope }
    return (await callApi(acme.url, token, 'POST', '/exchange/explain', body)).json
  }
  const tellingOf = ({ steps }: Record<string, unknown>, step: string): string | undefined =>
    (steps as { step: string; detail: string }[]).find((one) => one.step === step)?.detail

  it('never manages more than whoever issued it did then, whatever its owner becomes', async () => {
    const clerk = await addMember(manage('tokens:issue', 'users:read', 'organizations:*'))
    const { id } = await desk.addMember('acme', 'owner@acme.test', 'member')
    const pat = String((await issue(clerk.pat, id)).json['token'])
    await giveRole(id, 'admin')
    const CAPPED = [
      'organizations:read',
      'organizations:write',
      'tokens:issue',
      'tokens:read',
      'tokens:write',
      'users:read',
    ]
    expect((await rowOf(acme, idOf(pat))).issued_scopes?.toSorted()).toEqual([
      'organizations:*',
      'tokens:issue',
      'tokens:read',
      'tokens:write',
      'users:read',
    ])
    const access = await tokenOf(pat)
    expect(access['scope']).toBe(CAPPED.join(' '))
    for (const token of [pat, String(access['access_token'])]) {
      const shown = await me(token)
      expect(shown['scopes']).toEqual(CAPPED)
      expect(shown['permissions']).toEqual([{ audience: MANAGEMENT, scopes: CAPPED }])
      expect(refusalOf(await callApi(acme.url, token, 'GET', '/audit-events'))).toEqual(FORBIDDEN)
    }
    const explained = await explain(acme.adaPat, pat)
    expect(explained['decision']).toMatchObject({ scopes: CAPPED })
    expect(tellingOf(explained, 'permissions')).toContain('manages no more than whoever issued it could')
    const refused = await explain(acme.adaPat, pat, 'audit:read')
    expect(refused['error']).toMatchObject({ error: 'invalid_scope' })
    expect(tellingOf(refused, 'scope')).toContain(
      'Whoever issued the credential could not manage "audit:read"',
    )
    const successor = await rotateItself(acme, pat)
    expect((await me(successor))['scopes']).toEqual(CAPPED)
    await giveRole(id, 'member')
    expect((await me(successor))['scopes']).toEqual(['tokens:read', 'tokens:write'])
  })

  it('is not capped that way when it is older than the cap', async () => {
    const warden = await addMember(manage('tokens:issue', 'organizations:write'))
    const { id } = await desk.addMember('acme', 'older@acme.test', 'analyst')
    const pat = String((await issue(warden.pat, id)).json['token'])
    await giveRole(id, 'admin')
    expect((await me(pat))['scopes']).not.toContain('audit:read')
    await sql`update credentials set issued_scopes = null where id = ${idOf(pat)}`.execute(acme.db)
    expect((await me(pat))['scopes']).toContain('audit:read')
  })

  it('does not even list what its issuer could not, and still ends itself', async () => {
    const permissions = [manage('tokens:issue', 'organizations:write')]
    const narrow = await acme.issue('ada@acme.test', { name: 'narrow', permissions })
    const { id } = await desk.addMember('acme', 'quiet@acme.test', 'analyst')
    const pat = String((await issue(narrow, id)).json['token'])
    await giveRole(id, 'member')
    expect((await me(pat))['scopes']).toEqual([])
    expect(refusalOf(await callApi(acme.url, pat, 'GET', '/tokens'))).toEqual(FORBIDDEN)
    expect((await callApi(acme.url, pat, 'DELETE', `/tokens/${idOf(pat)}`)).status).toBe(204)
  })

  it('is an API key as well: its role may grow, and it manages no more than its maker did', async () => {
    const maker = await addMember(manage('keys:write', 'organizations:write'))
    await defineRole('growing', [manage('keys:write')])
    const key = await callForValue(acme.url, maker.pat, '/organizations/acme/keys', {
      name: 'growing',
      role: 'growing',
    })
    expect((await rowOf(acme, String(key.json['id']))).issued_scopes?.toSorted()).toEqual([
      'keys:write',
      'organizations:write',
      'tokens:read',
      'tokens:write',
    ])
    const permissions = [manage('*:*'), use('models:read')]
    await desk.admin('PATCH', '/organizations/acme/roles/growing', { permissions })
    const shown = await me(String(key.json['token']))
    expect(shown['scopes']).toEqual(['keys:write', 'organizations:write', 'tokens:read', 'tokens:write'])
    const { json } = await requestExchange(acme.url, {
      subject_token: String(key.json['token']),
      audience: API,
    })
    expect(json['scope']).toBe('models:read')
  })

  it('is what somebody makes of an API key by rotating it, who manages less than its maker', async () => {
    const rotator = await addMember(manage('keys:write', 'organizations:*'))
    await defineRole('handed-on', [use('models:read')])
    const keys = '/organizations/acme/keys'
    const body = { name: 'handed on', role: 'handed-on' }
    const key = await callForValue(acme.url, acme.adaPat, keys, body)
    const rotated = await callForValue(acme.url, rotator.pat, `${keys}/${key.json['id']}/rotate`, {})
    expect(await rowOf(acme, String(rotated.json['id']))).toMatchObject({
      issued_by: rotator.id,
      issued_reach: 'organization',
    })
    const permissions = [manage('*:*'), use('models:read')]
    await desk.admin('PATCH', '/organizations/acme/roles/handed-on', { permissions })
    const SEEN = ['keys:write', 'organizations:read', 'organizations:write', 'tokens:read', 'tokens:write']
    expect((await me(String(rotated.json['token'])))['scopes']).toEqual(SEEN)
    // Nor does it grow when somebody who manages more rotates it.
    const again = await callForValue(acme.url, acme.adminToken, `${keys}/${rotated.json['id']}/rotate`, {})
    expect((await me(String(again.json['token'])))['scopes']).toEqual(SEEN)
    expect((await me(await rotateItself(acme, String(again.json['token']))))['scopes']).toEqual(SEEN)
  })

  it('an access token hands on what it holds itself, and no wildcard', async () => {
    const access = String((await tokenOf(acme.adaPat))['access_token'])
    const { id } = await desk.addMember('acme', 'target@acme.test', 'member')
    const member = `/organizations/acme/members/${id}`
    expect((await callApi(acme.url, access, 'PATCH', member, { role: 'engineer' })).status).toBe(200)
    expect((await callApi(acme.url, access, 'PATCH', member, { role: 'admin' })).json).toEqual(
      problem(403, 'forbidden', 'The role has rights beyond yours: tokens:*'),
    )
    expect((await callApi(acme.url, acme.adaPat, 'PATCH', member, { role: 'admin' })).status).toBe(200)
  })
})

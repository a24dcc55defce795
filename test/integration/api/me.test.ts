import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, REPORTS, startAcme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { ISSUER } from '../../support/test-server.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const MANAGEMENT = `${ISSUER}/api`

const me = async (token: string) => {
  const { status, json } = await callApi(acme.url, token, 'GET', '/me')
  expect(status).toBe(200)
  return json
}

const findUserId = async (email: string): Promise<unknown> => {
  const { json } = await callApi(acme.url, acme.adminToken, 'GET', `/users?email=${email}`)
  return (json['items'] as { id: string }[])[0]?.id
}

describe('GET /me', () => {
  it('says who calls, and what they may do', async () => {
    const id = await findUserId('jane@acme.test')
    // Its first use, after which the credential stays the same for a minute.
    await me(acme.janePat)
    const { credential, ...rest } = await me(acme.janePat)
    expect(rest).toEqual({
      subject: id,
      kind: 'user',
      user: { id, email: 'jane@acme.test', name: 'Jane' },
      organization: 'acme',
      role: 'analyst',
      is_platform_wide: false,
      scopes: ['tokens:read', 'tokens:write'],
      permissions: [{ audience: API, scopes: ['datasets:read', 'models:read'] }],
    })
    const own = await callApi(acme.url, acme.janePat, 'GET', `/tokens/${acme.janePat.slice(4, 20)}`)
    expect(credential).toEqual(own.json)
  })

  it('tells a platform admin so, with every scope once', async () => {
    const { is_platform_wide, role, organization, scopes, permissions } = await me(acme.adminToken)
    expect([is_platform_wide, role, organization]).toEqual([true, 'platform-admin', 'default'])
    expect(scopes).toContain('clients:write')
    expect(scopes).toEqual([...new Set(scopes as string[])].sort())
    expect(permissions).toEqual([{ audience: MANAGEMENT, scopes }])
  })

  it('knows what a credential was narrowed to, for which nothing else is open', async () => {
    const narrow = await acme.issue('sam@acme.test', {
      name: 'narrow',
      permissions: [{ audience: API, scopes: ['models/m1:read'] }],
    })
    expect(await me(narrow)).toMatchObject({
      scopes: [],
      permissions: [{ audience: API, scopes: ['models/m1:read'] }],
      credential: { permissions: [{ audience: API, scopes: ['models/m1:read'] }] },
    })
  })

  it('of an access token is what the token allows', async () => {
    const form = { subject_token: acme.adaPat, audience: MANAGEMENT, scope: 'users:read tokens:read' }
    const { json } = await requestExchange(acme.url, form)
    expect(await me(String(json['access_token']))).toMatchObject({
      user: { email: 'ada@acme.test' },
      scopes: ['tokens:read', 'users:read'],
      permissions: [{ audience: MANAGEMENT, scopes: ['tokens:read', 'users:read'] }],
      credential: { id: acme.adaPat.slice(4, 20) },
    })
  })

  it('of an API key is the key: no user stands behind it', async () => {
    const made = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/keys', {
      name: 'nightly',
      role: 'engineer',
    })
    const key = canary(String(made.json['token']))
    expect(await me(key)).toMatchObject({
      subject: `key:${key.slice(4, 20)}`,
      kind: 'key',
      user: null,
      organization: 'acme',
      role: 'engineer',
      is_platform_wide: false,
      permissions: [
        { audience: API, scopes: ['datasets:read', 'models:read', 'models:write'] },
        { audience: REPORTS, scopes: ['reports:read'] },
      ],
      credential: { id: key.slice(4, 20), kind: 'organization', owner: null },
    })
  })

  it('follows the directory at once', async () => {
    const path = `/users/${await findUserId('sam@acme.test')}`
    await callApi(acme.url, acme.adminToken, 'PATCH', path, { name: 'Samira', email: 'samira@acme.test' })
    expect(await me(acme.samPat)).toMatchObject({ user: { name: 'Samira', email: 'samira@acme.test' } })
  })

  it('has room for every scope of a large resource server', async () => {
    const admin = (path: string, body: unknown) => callApi(acme.url, acme.adminToken, 'POST', path, body)
    const scopes = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`s${index}:read`, 'x']))
    const audience = 'https://large.test'
    await admin('/resource-servers', { audience, name: 'Large', scopes })
    await admin('/organizations/acme/roles', {
      name: 'large',
      permissions: [{ audience, scopes: ['*:read'] }],
    })
    const user = await admin('/users', { email: 'large@acme.test', name: 'Large' })
    await admin('/organizations/acme/members', { user_id: user.json['id'], role: 'large' })
    const { permissions } = await me(await acme.issue('large@acme.test', { name: 'laptop' }))
    expect(permissions).toEqual([{ audience, scopes: Object.keys(scopes).sort() }])
  })

  it('is for callers', async () => {
    const answer = await callApi(acme.url, undefined, 'GET', '/me')
    expect([answer.status, answer.json['code']]).toEqual([401, 'unauthorized'])
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { ISSUER } from '../../support/test-server.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const MANAGEMENT = `${ISSUER}/api`

async function exchange(subject_token: string, audience: string, scope?: string): Promise<string> {
  const answer = await requestExchange(acme.url, { subject_token, audience, scope })
  if (answer.status !== 200) throw new Error(answer.text)
  return String(answer.json['access_token'])
}

const statusOf = async (token: string, path: string): Promise<number> =>
  (await callApi(acme.url, token, 'GET', path)).status

describe('an access token for the management API', () => {
  it('is accepted in place of the credential it came from', async () => {
    expect(await statusOf(await exchange(acme.adaPat, MANAGEMENT), '/users')).toBe(200)
  })

  it('allows no more than its scopes', async () => {
    const token = await exchange(acme.adaPat, MANAGEMENT, 'tokens:read')
    expect(await statusOf(token, '/tokens')).toBe(200)
    expect(await statusOf(token, '/users')).toBe(403)
  })

  it('dies with its credential, long before it expires', async () => {
    const spare = await acme.issue('ada@acme.test', { name: 'spare' })
    const token = await exchange(spare, MANAGEMENT)
    expect(await statusOf(token, '/users')).toBe(200)
    await callApi(acme.url, spare, 'DELETE', `/tokens/${spare.slice(4, 20)}`)
    expect(await statusOf(token, '/users')).toBe(401)
  })

  it('loses what its owner loses', async () => {
    const token = await exchange(acme.adaPat, MANAGEMENT)
    const roles = (name: string) => acme.db.selectFrom('roles').select('id').where('name', '=', name)
    const ada = acme.db.selectFrom('users').select('id').where('email', '=', 'ada@acme.test')
    const become = (name: string) =>
      acme.db
        .updateTable('memberships')
        .set({ role_id: roles(name) })
        .where('user_id', '=', ada)
        .execute()
    await become('member')
    expect(await statusOf(token, '/users')).toBe(403)
    await become('admin')
    expect(await statusOf(token, '/users')).toBe(200)
  })

  it('is refused for another audience, expired, damaged or in another spelling', async () => {
    const token = await exchange(acme.adaPat, MANAGEMENT)
    const [header, payload, signature = ''] = token.split('.')
    const damaged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    const statuses = [
      await statusOf(await exchange(acme.janePat, API), '/tokens'),
      await statusOf(damaged, '/tokens'),
      await statusOf(`${token}==`, '/tokens'),
    ]
    acme.setClock(() => new Date(Date.now() + 301_000))
    statuses.push(await statusOf(token, '/tokens'))
    acme.setClock(() => new Date())
    expect(statuses).toEqual([401, 401, 401, 401])
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, mistype, startAcme, withAnotherSecret } from '../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../support/database-proxy.ts'
import { canary } from '../support/evidence.ts'
import { callApi, requestExchange, requestRevocation } from '../support/requests.ts'
import { createTestDatabase } from '../support/test-database.ts'

let proxy: DatabaseProxy
let acme: Acme
beforeAll(async () => {
  proxy = await startDatabaseProxy(await createTestDatabase())
  acme = await startAcme({ PATMINT_DATABASE_URL: proxy.url })
})
afterAll(async () => {
  await acme.stop()
  proxy.close()
})

const burn = (token: string) => requestRevocation(acme.url, { token })
const idOf = (value: string): string => value.slice(4, 20)
const exchangeStatus = async (value: string): Promise<number> =>
  (await requestExchange(acme.url, { subject_token: value, audience: API })).status

const rowOf = (value: string) =>
  acme.db
    .selectFrom('credentials')
    .select(['revoked_by', 'revoked_reason', 'owner_id'])
    .where('id', '=', idOf(value))
    .executeTakeFirstOrThrow()

const recordsOf = (value: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['subject', 'actor', 'ip', 'reason', 'detail'])
    .where('type', '=', 'credential.revoked')
    .where('credential_id', '=', idOf(value))
    .execute()

describe('POST /oauth2/revoke', () => {
  it('ends the credential at once, with a record that names its owner and nobody who did it', async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'spare' })
    expect(await exchangeStatus(spare)).toBe(200)
    expect((await burn(spare)).status).toBe(200)
    expect(await exchangeStatus(spare)).toBe(400)
    const { owner_id: owner, ...row } = await rowOf(spare)
    expect(row).toEqual({ revoked_by: null, revoked_reason: 'burnt_by_holder' })
    expect(await recordsOf(spare)).toEqual([
      {
        subject: owner,
        actor: null,
        ip: '127.0.0.1',
        reason: 'burnt_by_holder',
        detail: { via: 'oauth2/revoke' },
      },
    ])
    const seen = await callApi(acme.url, acme.janePat, 'GET', `/tokens/${idOf(spare)}`)
    expect(seen.json).toMatchObject({ status: 'revoked', status_detail: 'burnt_by_holder' })
  })

  it('ends an API key as well', async () => {
    const made = await callApi(acme.url, acme.adaPat, 'POST', '/organizations/acme/keys', {
      name: 'ci',
      role: 'member',
    })
    const key = canary(String(made.json['token']))
    expect((await burn(key)).status).toBe(200)
    expect((await callApi(acme.url, key, 'GET', '/me')).status).toBe(401)
    expect(await recordsOf(key)).toMatchObject([{ subject: `key:${idOf(key)}` }])
  })

  it('is recorded once, however often and from however many sides it is asked', async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'spare' })
    const answers = await Promise.all(Array.from({ length: 10 }, () => burn(spare)))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(new Set(['200 ']))
    expect(await recordsOf(spare)).toHaveLength(1)
  })

  it('ends what does not work at the moment, so that it never will again', async () => {
    const expired = await acme.issue('sam@acme.test', { name: 'expired', expires_in_seconds: 1 })
    const elsewhere = await acme.issue('sam@acme.test', { name: 'far', allowed_cidrs: ['192.0.2.0/24'] })
    const suspended = await acme.issue('sam@acme.test', { name: 'suspended' })
    const { owner_id: sam } = await rowOf(suspended)
    await callApi(acme.url, acme.adminToken, 'PATCH', `/users/${sam}`, { status: 'suspended' })
    acme.setClock(() => new Date(Date.now() + 2000))
    for (const value of [expired, elsewhere, suspended]) {
      expect((await burn(value)).status).toBe(200)
      expect((await rowOf(value)).revoked_reason).toBe('burnt_by_holder')
    }
    acme.setClock(() => new Date())
    await callApi(acme.url, acme.adminToken, 'PATCH', `/users/${sam}`, { status: 'active' })
    expect([await exchangeStatus(suspended), await exchangeStatus(acme.samPat)]).toEqual([400, 200])
  })

  it('leaves a credential alone whose id is right and whose secret or kind is not', async () => {
    const real = acme.janePat
    for (const value of [withAnotherSecret(real), real.replace('pat_', 'key_')]) {
      const answer = await burn(value)
      expect([answer.status, answer.text]).toEqual([200, ''])
    }
    expect(await exchangeStatus(real)).toBe(200)
    expect(await recordsOf(real)).toEqual([])
  })

  it('costs no query for what is no credential', async () => {
    acme.takeQueries()
    for (const value of [mistype(acme.janePat), acme.janePat.slice(0, -1), 'x', '\0', ' ', '💥'])
      expect([value, (await burn(value)).status]).toEqual([value, 200])
    expect((await requestRevocation(acme.url, {})).status).toBe(400)
    expect((await burn('eyJhbGciOiJFUzI1NiJ9.e30.c2ln')).status).toBe(400)
    expect(acme.takeQueries()).toEqual([])
  })

  it('says 503 and when to come back while the database is away, and burns when it is back', async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'in an outage' })
    await proxy.refuse()
    const answer = await burn(spare)
    expect([answer.status, answer.json]).toEqual([
      503,
      { error: 'temporarily_unavailable', error_description: 'try again later' },
    ])
    expect(answer.headers.get('retry-after')).toBe('1')
    expect((await burn(mistype(spare))).status).toBe(200)
    await proxy.mend()
    expect(await exchangeStatus(spare)).toBe(200)
    expect((await burn(spare)).status).toBe(200)
    expect(await exchangeStatus(spare)).toBe(400)
  })
})

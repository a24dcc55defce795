import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACCESS_TOKEN_TYPE } from '../../src/protocol/urn.ts'
import { purgeRevokedTokens } from '../../src/server/signing/revoked-token-store.ts'
import { type Acme, API, mistype, ORDERS_BASIC, startAcme, withAnotherSecret } from '../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../support/database-proxy.ts'
import { canary } from '../support/evidence.ts'
import { callApi, requestExchange, requestIntrospection, requestRevocation } from '../support/requests.ts'
import { createTestDatabase } from '../support/test-database.ts'
import { ISSUER } from '../support/test-server.ts'

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
    expect((await burn('eyJhbGciOiJFUzI1NiJ9.e30.c2ln')).status).toBe(200)
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

describe('POST /oauth2/revoke with an access token', () => {
  const exchange = async (subject_token: string, audience: string = API): Promise<string> => {
    const { json } = await requestExchange(acme.url, { subject_token, audience })
    return canary(String(json['access_token']))
  }
  const recordsOfToken = (jti: string | undefined) =>
    acme.db
      .selectFrom('audit_events')
      .innerJoin('organizations', 'organizations.id', 'audit_events.organization_id')
      .select(['organizations.slug', 'subject', 'credential_id', 'actor', 'ip', 'reason', 'detail'])
      .where('type', '=', 'token.revoked')
      .where('token_id', '=', String(jti))
      .execute()
  const countRows = async (): Promise<number> =>
    (await acme.db.selectFrom('revoked_tokens').select('jti').execute()).length

  it('is recorded once, in the organization of its credential, however often it is asked', async () => {
    const token = await exchange(acme.janePat)
    const { sub, jti, cred } = decodeJwt(token)
    await Promise.all(Array.from({ length: 5 }, () => burn(token)))
    expect(await recordsOfToken(jti)).toEqual([
      {
        slug: 'acme',
        subject: sub,
        credential_id: cred,
        actor: null,
        ip: '127.0.0.1',
        reason: 'burnt_by_holder',
        detail: { via: 'oauth2/revoke' },
      },
    ])
  })

  it('ends it at the management API, which says why to the record alone', async () => {
    const token = await exchange(acme.adaPat, `${ISSUER}/api`)
    expect((await callApi(acme.url, token, 'GET', '/users')).status).toBe(200)
    await burn(token)
    expect((await callApi(acme.url, token, 'GET', '/users')).status).toBe(401)
    const refused = await acme.db
      .selectFrom('audit_events')
      .select('credential_id')
      .where('type', '=', 'api.refused')
      .where('reason', '=', 'token_revoked')
      .execute()
    expect(refused).toEqual([{ credential_id: idOf(acme.adaPat) }])
  })

  it('explains itself to its owner', async () => {
    const token = await exchange(acme.janePat)
    await burn(token)
    const { json } = await callApi(acme.url, acme.janePat, 'POST', '/exchange/explain', {
      client_id: 'patmint-cli',
      subject_token: token,
      subject_token_type: ACCESS_TOKEN_TYPE,
    })
    expect(json).toMatchObject({ outcome: 'refused', cause: 'token_revoked' })
  })

  it('writes nothing for one that has expired', async () => {
    const token = await exchange(acme.janePat)
    const before = await countRows()
    acme.setClock(() => new Date(Date.now() + 301_000))
    expect((await burn(token)).status).toBe(200)
    acme.setClock(() => new Date())
    expect(await countRows()).toBe(before)
  })

  it('is forgotten after the token has expired, by instances whose clocks differ', async () => {
    const token = await exchange(acme.janePat)
    await burn(token)
    const { jti, exp = 0 } = decodeJwt(token)
    const isKept = async (): Promise<boolean> =>
      (await acme.db
        .selectFrom('revoked_tokens')
        .select('jti')
        .where('jti', '=', String(jti))
        .executeTakeFirst()) !== undefined
    await purgeRevokedTokens(acme.db, new Date((exp + 299) * 1000))
    expect(await isKept()).toBe(true)
    await purgeRevokedTokens(acme.db, new Date((exp + 300) * 1000))
    expect(await isKept()).toBe(false)
  })

  it('says 503 while the database is away, and is as it was', async () => {
    const token = await exchange(acme.janePat)
    await proxy.refuse()
    const answers = [
      await burn(token),
      await requestIntrospection(acme.url, { token }, { Authorization: ORDERS_BASIC }),
    ]
    await proxy.mend()
    for (const answer of answers) {
      expect([answer.status, answer.json, answer.headers.get('retry-after')]).toEqual([
        503,
        { error: 'temporarily_unavailable', error_description: 'try again later' },
        '1',
      ])
    }
    const { json } = await requestIntrospection(acme.url, { token }, { Authorization: ORDERS_BASIC })
    expect(json['active']).toBe(true)
  })
})

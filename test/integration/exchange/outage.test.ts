import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, ORDERS_BASIC, startAcme } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'

let databaseUrl: string
let proxy: DatabaseProxy
let acme: Acme
beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  proxy = await startDatabaseProxy(databaseUrl)
  acme = await startAcme({ PATMINT_DATABASE_URL: proxy.url })
})
afterAll(async () => {
  await acme.stop()
  proxy.close()
})

const exchange = () => requestExchange(acme.url, { subject_token: acme.janePat })
const UNAVAILABLE = { error: 'temporarily_unavailable', error_description: 'try again later' }

describe('a token whose record cannot be written', () => {
  it('does not leave', async () => {
    await sql`alter table audit_events rename to audit_events_away`.execute(acme.db)
    const answer = await exchange()
    expect([answer.status, answer.json['error']]).toEqual([500, 'server_error'])
    expect(answer.json).not.toHaveProperty('access_token')
    await sql`alter table audit_events_away rename to audit_events`.execute(acme.db)
    expect((await exchange()).status).toBe(200)
  })
})

describe('a database that is away', () => {
  it('makes every request that needs it a 503 with Retry-After, and none an invalid_…', async () => {
    proxy.cut()
    const answers = await Promise.all([
      exchange(),
      requestExchange(
        acme.url,
        { client_id: undefined, subject_token: acme.janePat },
        { Authorization: ORDERS_BASIC },
      ),
      callApi(acme.url, acme.janePat, 'GET', '/tokens'),
    ])
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual(['1', '1', '1'])
    expect(answers[0]?.json).toEqual(UNAVAILABLE)
    expect(answers[1]?.json).toEqual(UNAVAILABLE)
    expect(answers[2]?.json).toEqual({
      type: 'about:blank',
      title: 'Try again later',
      status: 503,
      code: 'temporarily_unavailable',
    })
  })

  it('leaves keys, discovery and /healthz up, and /readyz down', async () => {
    const status = async (path: string): Promise<number> => (await fetch(acme.url + path)).status
    expect(await status('/.well-known/jwks.json')).toBe(200)
    expect(await status('/.well-known/openid-configuration')).toBe(200)
    expect(await status('/healthz')).toBe(200)
    expect(await status('/readyz')).toBe(503)
  })

  it('is used again as soon as it is back, without a restart', async () => {
    proxy.mend()
    expect((await exchange()).status).toBe(200)
    expect((await fetch(`${acme.url}/readyz`)).status).toBe(200)
  })
})

describe('a database that only reads', () => {
  const name = (): string => new URL(databaseUrl).pathname.slice(1)

  it('makes an exchange a 503: what cannot be recorded is not decided', async () => {
    await withClient(databaseUrl, (client) =>
      client.query(`alter database ${name()} set default_transaction_read_only = on`),
    )
    proxy.cut()
    proxy.mend()
    const answer = await exchange()
    expect([answer.status, answer.json]).toEqual([503, UNAVAILABLE])
    await withClient(databaseUrl, async (client) => {
      await client.query('set default_transaction_read_only = off')
      await client.query(`alter database ${name()} reset default_transaction_read_only`)
    })
    proxy.cut()
    proxy.mend()
    expect((await exchange()).status).toBe(200)
  })
})

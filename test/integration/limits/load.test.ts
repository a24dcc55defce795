// More than the process can do at once: what it takes on it finishes, and the rest is told so at once.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { askForwardAuth, bearer } from '../../support/forward-auth.ts'
import { openConnection } from '../../support/raw-connection.ts'
import { type Answer, callApi, requestExchange, requestRevocation } from '../../support/requests.ts'
import { newDataDir, newSecretKey } from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { startTestServer } from '../../support/test-server.ts'

const OVERLOADED = { error: 'temporarily_unavailable', error_description: 'try again later' }
const PROBLEM = {
  type: 'about:blank',
  title: 'Try again later',
  status: 503,
  code: 'temporarily_unavailable',
}

const wireOf = ({ status, json, headers }: Answer) => [status, json, headers.get('retry-after')]

describe('requests in flight', () => {
  const MOST = 3
  let acme: Acme
  beforeAll(async () => {
    acme = await startAcme({ PATMINT_MAX_IN_FLIGHT: String(MOST) })
  })
  afterAll(() => acme.stop())

  const exchange = () => requestExchange(acme.url, { subject_token: acme.janePat, audience: API })
  const untilInFlight = (count: number) =>
    vi.waitUntil(() => acme.readLoad().requestsInFlight === count, { timeout: 4000, interval: 5 })

  /** Holds back whoever reads credentials, until it is called. */
  async function lockCredentials(): Promise<() => Promise<void>> {
    const released = Promise.withResolvers<void>()
    const locked = Promise.withResolvers<void>()
    const holding = acme.db.transaction().execute(async (transaction) => {
      await sql`lock table credentials in access exclusive mode`.execute(transaction)
      locked.resolve()
      await released.promise
    })
    await locked.promise
    return async () => {
      released.resolve()
      await holding
    }
  }

  it('beyond the limit are told to come back, at once and everywhere, while the others wait and succeed', async () => {
    const release = await lockCredentials()
    const waiting = Array.from({ length: MOST }, exchange)
    await untilInFlight(MOST)
    expect(wireOf(await exchange())).toEqual([503, OVERLOADED, '1'])
    expect(wireOf(await requestRevocation(acme.url, { token: acme.samPat }))).toEqual([503, OVERLOADED, '1'])
    const forward = await askForwardAuth(acme.url, { audience: API }, bearer(acme.samPat))
    expect(wireOf(forward)).toEqual([503, OVERLOADED, '1'])
    expect(wireOf(await callApi(acme.url, acme.samPat, 'GET', '/me'))).toEqual([503, PROBLEM, '1'])
    const leak = { credentials: [acme.samPat] }
    expect(wireOf(await callApi(acme.url, undefined, 'POST', '/leaks', leak))).toEqual([503, PROBLEM, '1'])
    for (const path of ['/healthz', '/readyz', '/.well-known/jwks.json', '/.well-known/openid-configuration'])
      expect([path, (await fetch(acme.url + path)).status]).toEqual([path, 200])
    expect(acme.readLoad().requestsInFlight).toBe(MOST)
    await release()
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(MOST).fill(200))
    expect(acme.readLoad()).toMatchObject({ requestsInFlight: 0, overloads: { too_many_in_flight: 5 } })
    expect((await exchange()).status).toBe(200)
    expect((await callApi(acme.url, acme.samPat, 'GET', '/me')).status).toBe(200)
  })

  it('are still in flight when their client has gone, until the database is through with them', async () => {
    const release = await lockCredentials()
    const gone = new AbortController()
    const asked = Array.from({ length: MOST }, () =>
      fetch(`${acme.url}/api/v1/me`, {
        headers: { Authorization: `Bearer ${acme.samPat}` },
        signal: gone.signal,
      }).catch(() => 'gone'),
    )
    await untilInFlight(MOST)
    gone.abort()
    expect(await Promise.all(asked)).toEqual(Array(MOST).fill('gone'))
    expect((await exchange()).status).toBe(503)
    await release()
    await untilInFlight(0)
    expect((await exchange()).status).toBe(200)
  })

  it('are not those whose body is still coming', async () => {
    const head = (path: string, type: string) =>
      `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 1000\r\n\r\n`
    const slow = await Promise.all(
      Array.from({ length: 2 * MOST }, async (_, n) => {
        const connection = await openConnection(acme.url)
        const path = ['/oauth2/token', '/oauth2/revoke', '/api/v1/leaks'][n % 3] ?? ''
        connection.send(
          head(path, path.startsWith('/api') ? 'application/json' : 'application/x-www-form-urlencoded'),
        )
        connection.send('token=')
        return connection
      }),
    )
    expect((await Promise.all(Array.from({ length: MOST }, exchange))).map(({ status }) => status)).toEqual(
      Array(MOST).fill(200),
    )
    for (const connection of slow) connection.close()
  })
})

describe('hashes', () => {
  it('that are more than may wait are told to come back, and never that they are wrong', async () => {
    const config = join(newDataDir(), 'slow-hash.yaml')
    // Slow enough that all are asked for while the first are computed.
    writeFileSync(config, 'credential_hash: { memory_kib: 32768, passes: 2, lanes: 1 }\n')
    const installation = {
      PATMINT_DATABASE_URL: await createTestDatabase(),
      PATMINT_SECRET_KEY: newSecretKey(),
    }
    const patient = await startAcme({ ...installation, PATMINT_CONFIG: config })
    const pats: string[] = []
    for (let n = 0; n < 8; n += 1) pats.push(await patient.issue('jane@acme.test', { name: `${n}` }))
    await patient.stop()
    const server = await startTestServer({ ...installation, PATMINT_HASH_QUEUE_LIMIT: '1' })
    const exchange = (subject_token: string) => requestExchange(server.url, { subject_token, audience: API })
    const answers = await Promise.all(pats.map(exchange))
    const refused = answers.filter(({ status }) => status !== 200)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(pats.length)
    for (const answer of refused) expect(wireOf(answer)).toEqual([503, OVERLOADED, '1'])
    const { hash_queue_full: full, hash_queue_slow: slow } = server.readLoad().overloads
    expect(full + slow).toBe(refused.length)
    for (const pat of pats) expect((await exchange(pat)).status).toBe(200)
    await server.stop()
  })
})

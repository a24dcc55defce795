// A failover behind an address that stays: connections there are go silent without an end, new ones work.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MIGRATION_TIMEOUTS, openDatabase } from '../../../src/server/db/database.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { requestExchange } from '../../support/requests.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'

let databaseUrl: string
let proxy: DatabaseProxy
let acme: Acme
beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  proxy = await startDatabaseProxy(databaseUrl)
  acme = await startAcme({
    PATMINT_DATABASE_URL: proxy.url,
    // Below the defaults, so that what is promised with those is kept on a busy machine too.
    PATMINT_DATABASE_STATEMENT_SECONDS: '2',
    PATMINT_EXCHANGE_DEADLINE_SECONDS: '3',
  })
})
afterAll(() => proxy.close())

const exchange = () => requestExchange(acme.url, { subject_token: acme.janePat })
const exchangeMany = async (count: number): Promise<number[]> =>
  (await Promise.all(Array.from({ length: count }, exchange))).map(({ status }) => status)

/** Time for `task`, and what it gave. */
async function measure<T>(task: () => Promise<T>): Promise<{ value: T; milliseconds: number }> {
  const startedAt = performance.now()
  const value = await task()
  return { value, milliseconds: performance.now() - startedAt }
}

describe('database connections that go silent', () => {
  it('make a 503 of the exchanges they carry within 5 s, and leave none behind for the next ones', async () => {
    await exchangeMany(20)
    proxy.silence()
    const { value, milliseconds } = await measure(() => exchangeMany(20))
    // An exchange that finds no idle connection opens one, which works; the first finds one.
    expect(value).toContain(503)
    expect(value.filter((status) => status !== 503 && status !== 200)).toEqual([])
    expect(milliseconds).toBeLessThan(5000)
    const next = await measure(() => exchangeMany(20))
    expect(new Set(next.value)).toEqual(new Set([200]))
    expect(next.milliseconds).toBeLessThan(2000)
  })

  it('do so also when a record is being written', async () => {
    await withClient(databaseUrl, async (client) => {
      await client.query('begin')
      await client.query('lock table audit_events in exclusive mode')
      const answering = measure(exchange)
      await sleep(500)
      proxy.silence()
      await client.query('commit')
      const { value, milliseconds } = await answering
      expect(value.status).toBe(503)
      expect(milliseconds).toBeLessThan(5000)
    })
    expect(await exchangeMany(5)).toEqual(Array(5).fill(200))
  })

  it('do not keep a server from stopping', async () => {
    proxy.silence()
    const answering = exchange().catch((error: unknown) => error)
    await sleep(200)
    const { milliseconds } = await measure(() => acme.stop())
    expect(milliseconds).toBeLessThan(7000)
    await answering
  })
})

describe('a connection for migrations', () => {
  it('waits for its statements as long as they take', async () => {
    const db = openDatabase({ url: databaseUrl, timeouts: MIGRATION_TIMEOUTS })
    const { milliseconds } = await measure(() =>
      db.selectNoFrom(({ fn, val }) => fn('pg_sleep', [val(6.5)]).as('slept')).execute(),
    )
    expect(milliseconds).toBeGreaterThan(6400)
    await db.destroy()
  })
})

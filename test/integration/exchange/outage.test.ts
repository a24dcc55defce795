// What the database and the network before it can do to a server, one after the other. Whatever it is: an exchange is
// a 503 in time, what needs no database stays up, and it ends with its cause.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, mistype, ORDERS_BASIC, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { askForwardAuth, bearer } from '../../support/forward-auth.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'

interface Scene {
  readonly acme: Acme
  readonly proxy: DatabaseProxy
  /** Past the proxy. */
  readonly databaseUrl: string
}

interface Fault {
  readonly name: string
  readonly begin: (scene: Scene) => unknown
  readonly end: (scene: Scene) => unknown
  /** What the management API may answer to a call that only reads. */
  readonly readStatuses: readonly number[]
}

const mend = ({ proxy }: Scene): unknown => proxy.mend()
const BROKEN = { end: mend, readStatuses: [503] }

const FAULTS: readonly Fault[] = [
  { name: 'refuses connections', begin: ({ proxy }) => proxy.refuse(), ...BROKEN },
  { name: 'swallows what it is sent', begin: ({ proxy }) => proxy.blackHole(), ...BROKEN },
  { name: 'resets connections', begin: ({ proxy }) => proxy.reset(), ...BROKEN },
  { name: 'is slow beyond reason', begin: ({ proxy }) => proxy.delay(2500), ...BROKEN },
  { name: 'is out of connections', begin: ({ proxy }) => proxy.exhaust(), ...BROKEN },
  {
    name: 'only reads',
    begin: async (scene) => {
      await setReadOnly(scene, true)
      scene.proxy.cut()
    },
    // Nobody breaks the connections: sessions that only read must not outlive the cause.
    end: (scene) => setReadOnly(scene, false),
    readStatuses: [200],
  },
  {
    name: 'fails over: what there was is silent, and the address leads to a standby',
    begin: async (scene) => {
      await setReadOnly(scene, true)
      scene.proxy.silence()
    },
    end: (scene) => setReadOnly(scene, false),
    readStatuses: [200, 503],
  },
]

/** What new sessions may do, as on a standby that is promoted later. */
const setReadOnly = ({ databaseUrl }: Scene, isReadOnly: boolean): Promise<unknown> =>
  withClient(databaseUrl, async (client) => {
    await client.query('set default_transaction_read_only = off')
    const name = new URL(databaseUrl).pathname.slice(1)
    await client.query(`alter database ${name} set default_transaction_read_only = ${isReadOnly}`)
  })

/** Below the defaults, so that what is promised with those is kept on a busy machine too. */
const WAITS = {
  PATMINT_DATABASE_CONNECT_SECONDS: '1',
  PATMINT_DATABASE_LOCK_SECONDS: '1',
  PATMINT_DATABASE_STATEMENT_SECONDS: '2',
  PATMINT_EXCHANGE_DEADLINE_SECONDS: '2',
}

let scene: Scene
beforeAll(async () => {
  const databaseUrl = await createTestDatabase()
  const proxy = await startDatabaseProxy(databaseUrl)
  const acme = await startAcme({ ...WAITS, PATMINT_DATABASE_URL: proxy.url })
  scene = { acme, proxy, databaseUrl }
})
afterAll(async () => {
  await scene.acme.stop()
  scene.proxy.close()
})

interface Timed<T> {
  readonly value: T
  readonly milliseconds: number
}

async function measure<T>(task: () => Promise<T>): Promise<Timed<T>> {
  const startedAt = performance.now()
  const value = await task()
  return { value, milliseconds: performance.now() - startedAt }
}

const exchange = ({ url }: Acme, subject_token: string) => requestExchange(url, { subject_token })

/** Right ones, a wrong one, one of a confidential client and one that a proxy asks for. */
const exchangeAll = (acme: Acme): Promise<Timed<Answer>[]> => {
  const { url, janePat } = acme
  const orders = { client_id: undefined, subject_token: janePat }
  const wrong = withAnotherSecret(janePat)
  return Promise.all([
    ...Array.from({ length: 15 }, () => measure(() => exchange(acme, janePat))),
    measure(() => exchange(acme, wrong)),
    measure(() => requestExchange(url, orders, { Authorization: ORDERS_BASIC })),
    measure(() => askForwardAuth(url, { audience: API }, bearer(janePat))),
  ])
}

const UNAVAILABLE = { error: 'temporarily_unavailable', error_description: 'try again later' }
const PROBLEM = {
  type: 'about:blank',
  title: 'Try again later',
  status: 503,
  code: 'temporarily_unavailable',
}

async function expectExchangesToWait({ acme }: Scene): Promise<void> {
  const answers = await exchangeAll(acme)
  for (const { value, milliseconds } of answers) {
    expect([value.status, value.json]).toEqual([503, UNAVAILABLE])
    expect(value.headers.get('retry-after')).toBe('1')
    expect(milliseconds).toBeLessThan(5000)
  }
  // What no database is needed for is told all the same.
  expect((await exchange(acme, mistype(acme.janePat))).status).toBe(400)
}

async function expectApiToWait({ acme }: Scene, { readStatuses }: Fault): Promise<void> {
  const { url, janePat } = acme
  const [read, ...writes] = await Promise.all([
    callApi(url, janePat, 'GET', '/tokens'),
    callApi(url, acme.adminToken, 'POST', '/organizations', { slug: 'late', name: 'Late' }),
    callApi(url, janePat, 'DELETE', `/tokens/${janePat.slice(4, 20)}`),
  ])
  expect(readStatuses).toContain(read.status)
  for (const { status, json, headers } of writes) {
    expect([status, json, headers.get('retry-after')]).toEqual([503, PROBLEM, '1'])
  }
}

async function expectTheRestToStay({ acme }: Scene): Promise<void> {
  const get = (path: string): Promise<Timed<Response>> => measure(() => fetch(acme.url + path))
  for (const path of ['/.well-known/jwks.json', '/.well-known/openid-configuration', '/healthz']) {
    const { value, milliseconds } = await get(path)
    expect([path, value.status]).toEqual([path, 200])
    expect(milliseconds).toBeLessThan(2000)
  }
  for (const { value, milliseconds } of await Promise.all(Array.from({ length: 5 }, () => get('/readyz')))) {
    expect([value.status, await value.json()]).toEqual([503, { status: 'unavailable' }])
    expect(value.headers.get('retry-after')).toBe('1')
    expect(milliseconds).toBeLessThan(2000)
  }
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(50)
}

/** Everything works again, and goes on doing so. */
async function expectRecovery({ acme, databaseUrl }: Scene): Promise<void> {
  const { milliseconds } = await measure(async () => {
    // First what a balancer asks before it sends anything else.
    await waitUntil(async () => (await fetch(`${acme.url}/readyz`)).status === 200)
    await waitUntil(async () => (await exchange(acme, acme.janePat)).status === 200)
  })
  expect(milliseconds).toBeLessThan(5000)
  const statuses = (await exchangeAll(acme)).map(({ value }) => value.status)
  expect(statuses.sort()).toEqual([...Array(17).fill(200), 400])
  expect((await callApi(acme.url, acme.janePat, 'GET', '/me')).status).toBe(200)
  await waitUntil(async () => (await countSessions(databaseUrl)) <= 10)
}

const countSessions = (databaseUrl: string): Promise<number> =>
  withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ sessions: number }>(`
      select count(*)::int as sessions from pg_stat_activity
      where datname = current_database() and application_name = 'patmint'`)
    return rows[0]?.sessions ?? 0
  })

describe('a database that', () => {
  it.each(FAULTS)(
    '$name: makes exchanges a 503 in time, and is used again when it is back',
    async (fault) => {
      const statuses = (await exchangeAll(scene.acme)).map(({ value }) => value.status)
      expect(statuses).toContain(200)
      await fault.begin(scene)
      try {
        await Promise.all([
          expectExchangesToWait(scene),
          expectApiToWait(scene, fault),
          expectTheRestToStay(scene),
        ])
      } finally {
        await fault.end(scene)
      }
      await expectRecovery(scene)
    },
  )

  it('takes long for every statement, if not too long for one: makes exchanges a 503 in time', async () => {
    scene.proxy.delay(1200)
    await expectExchangesToWait(scene)
    await mend(scene)
    await expectRecovery(scene)
  })

  it('is slow within reason: makes nothing a 503', async () => {
    scene.proxy.delay(50)
    expect((await exchange(scene.acme, scene.acme.janePat)).status).toBe(200)
    expect((await fetch(`${scene.acme.url}/readyz`)).status).toBe(200)
    await mend(scene)
  })
})

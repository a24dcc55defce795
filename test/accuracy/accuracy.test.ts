// Two servers, one database, and exchanges while credentials are revoked and their owners suspended and restored at
// random: none decided wrongly, none without its record, no record without its answer. ACCURACY_EXCHANGES, and
// ACCURACY_SEED to have a run's choices again.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Target } from '../bench/load/connection.ts'
import { ORDERS_SECRET } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { type HeldConnections, holdConnections } from '../support/held-connections.ts'
import { createRandom, readSeed } from '../support/seeded-random.ts'
import { newSecretKey, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'
import { UNLIMITED_FAILURES } from '../support/test-server.ts'
import { Changes } from './changes.ts'
import { exchangeMany } from './exchanges.ts'
import type { Holder } from './population.ts'
import { reconcile } from './reconcile.ts'

const EXCHANGES = Number(process.env['ACCURACY_EXCHANGES'] ?? 1_000_000)
const SEED = readSeed('ACCURACY_SEED')
const HOLDERS = 24
const CREDENTIALS_EACH = 4
/** Each has holders of its own. */
const CHANGING = 4
const CONNECTIONS_EACH = 24

const random = createRandom(SEED)
let databaseUrl: string
let processes: ServerProcess[]
let servers: HeldConnections[]
let changes: Changes
let holders: Holder[]

beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  const variables = {
    PATMINT_DATABASE_URL: databaseUrl,
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_ISSUER: 'https://sts.example.test',
    PATMINT_LOG_LEVEL: 'warn',
    ...UNLIMITED_FAILURES,
  }
  const orders = { PATMINT_APPLY: 'config/example.yaml', ORDERS_SECRET: canary(ORDERS_SECRET) }
  const first = await startServerProcess({ ...variables, ...orders })
  processes = [first, await startServerProcess(variables)]
  servers = processes.map(({ url }) => holdConnections(url, CHANGING))
  changes = new Changes({ servers, adminToken: first.bootstrapToken(), random })
  // An issue that is repeated, because nobody heard of the first, leaves one more.
  await withClient(databaseUrl, (client) =>
    client.query('update expiry_policies set max_active_tokens = 1000'),
  )
  holders = []
  for (let index = 0; index < HOLDERS; index += 1)
    holders.push(await changes.createHolder(`holder-${index}`, CREDENTIALS_EACH))
})
afterAll(async () => {
  for (const connections of servers) connections.close()
  await Promise.all(processes.map((server) => server.stop()))
})

const toTarget = ({ url }: ServerProcess): Target => {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

describe(`${EXCHANGES} exchanges under change (ACCURACY_SEED=${SEED})`, () => {
  it('are decided by what was acknowledged before, and are all recorded, and nothing else is', {
    timeout: 120_000 + EXCHANGES * 10,
  }, async () => {
    const done = new AbortController()
    const changing = Array.from({ length: CHANGING }, (_, lane) =>
      changes.changeUntil(
        done.signal,
        holders.filter((_, index) => index % CHANGING === lane),
      ),
    )
    const options = { targets: processes.map(toTarget), connections: CONNECTIONS_EACH, random }
    const exchanging = exchangeMany({ ...options, count: EXCHANGES, holders })
    // Changes go on as long as exchanges do; what fails first ends both.
    const hearsay = await Promise.race([exchanging, Promise.all(changing).then(() => exchanging)])
    done.abort()
    await Promise.all(changing)
    expect(hearsay.wrong).toEqual([])
    expect(await reconcile(databaseUrl, hearsay)).toEqual({ unrecorded: [], unheard: [] })
    // Else nothing was shown.
    const { granted, refused, either } = hearsay.counts
    const { revoked, suspended, restored } = changes.counts
    expect(Math.min(granted, refused, revoked, suspended, restored)).toBeGreaterThan(10)
    const unavailable = hearsay.unavailable.size
    expect(granted + refused + unavailable).toBe(EXCHANGES)
    process.stdout.write(
      `${granted} granted, ${refused} refused, ${either} beside a change, ${unavailable} unavailable; ` +
        `${revoked} revoked, ${suspended} suspended\n`,
    )
  })
})

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OPERATIONS } from '../../../src/server/api/operations.ts'
import { type Acme, mistype, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { logFile } from '../../support/evidence.ts'
import { askForwardAuth, bearer } from '../../support/forward-auth.ts'
import { newMetering, parseSamples, type Sample, sumOf } from '../../support/metrics.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { createTestDatabase } from '../../support/test-database.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH']

const OTHER_ROUTES = new Set([
  'unmatched',
  '/oauth2/token',
  '/oauth2/revoke',
  '/forward-auth',
  '/healthz',
  '/readyz',
  '/docs',
  '/openapi.json',
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
])

const randomText = (): string => randomBytes(8).toString('hex')

const metering = newMetering()
let proxy: DatabaseProxy
let acme: Acme
beforeAll(async () => {
  proxy = await startDatabaseProxy(await createTestDatabase())
  acme = await startAcme({ PATMINT_DATABASE_URL: proxy.url }, metering)
})
afterAll(async () => {
  const { text } = await metering.meter.render()
  // For the search for secrets that comes after every other test.
  writeFileSync(logFile('metrics'), text)
  await acme.stop()
  proxy.close()
})

const scrape = async (): Promise<Sample[]> => parseSamples((await metering.meter.render()).text)

/** By how much `work` raised each of the sums. */
async function growth<Name extends string>(
  sums: Record<Name, readonly [string, Record<string, string>?]>,
  work: () => Promise<unknown>,
): Promise<Record<Name, number>> {
  const names = Object.keys(sums) as Name[]
  const take = async (): Promise<number[]> => {
    const samples = await scrape()
    return names.map((key) => {
      const [name, labels] = sums[key]
      return sumOf(samples, name, labels)
    })
  }
  const before = await take()
  await work()
  const after = await take()
  return Object.fromEntries(names.map((name, at) => [name, (after[at] ?? 0) - (before[at] ?? 0)])) as Record<
    Name,
    number
  >
}

const exchange = (subject_token: string, form: Record<string, string> = {}) =>
  requestExchange(acme.url, { subject_token, ...form })
const outcome = (name: string) => ['patmint_exchange_duration_seconds_count', { outcome: name }] as const
const refusals = (cause: string) => ['patmint_exchange_refusals_total', { cause }] as const

describe('an exchange', () => {
  it('is counted by its outcome, and a refusal by its true cause', async () => {
    const unknown = `pat_${'0'.repeat(64)}`
    const grown = await growth(
      {
        granted: outcome('granted'),
        refused: outcome('refused'),
        failed: outcome('failed'),
        mismatch: refusals('secret_mismatch'),
        malformed: refusals('credential_malformed'),
        scope: refusals('scope_exceeds'),
        client: refusals('client_authentication_failed'),
        other: refusals('other'),
        all: ['patmint_exchange_refusals_total'],
      },
      async () => {
        await exchange(acme.janePat, { audience: 'https://api.example.com' })
        await exchange(withAnotherSecret(acme.janePat))
        await exchange(mistype(acme.janePat))
        await exchange(unknown)
        await exchange(acme.janePat, { audience: 'https://api.example.com', scope: 'models:write' })
        await exchange(acme.janePat, { client_id: 'nobody' })
        await exchange(acme.janePat, { grant_type: 'password' })
      },
    )
    expect(grown).toEqual({
      granted: 1,
      refused: 6,
      failed: 0,
      mismatch: 1,
      malformed: 2,
      scope: 1,
      client: 1,
      other: 1,
      all: 6,
    })
  })

  it('is counted alike when a proxy asks for it, which without a credential it does not', async () => {
    const route = ['patmint_http_requests_total', { route: '/forward-auth' }] as const
    const question = { audience: 'https://api.example.com' }
    const grown = await growth(
      {
        requests: route,
        granted: outcome('granted'),
        refused: outcome('refused'),
        failed: outcome('failed'),
        mismatch: refusals('secret_mismatch'),
        malformed: refusals('credential_malformed'),
        question: refusals('parameter_missing'),
      },
      async () => {
        await askForwardAuth(acme.url, question, bearer(acme.janePat))
        await askForwardAuth(acme.url, question, bearer(withAnotherSecret(acme.janePat)))
        await askForwardAuth(acme.url, question, bearer(mistype(acme.janePat)))
        await askForwardAuth(acme.url, question)
        await askForwardAuth(acme.url, '')
      },
    )
    expect(grown).toEqual({
      requests: 5,
      granted: 1,
      refused: 1,
      failed: 0,
      mismatch: 1,
      malformed: 1,
      question: 1,
    })
  })

  it('has its signature, its record, its look-ups and its hash measured, and the hash once', async () => {
    const fresh = await acme.issue('sam@acme.test', { name: 'measured' })
    const grown = await growth(
      {
        signatures: ['patmint_signing_duration_seconds_count'],
        commits: ['patmint_ledger_commit_duration_seconds_count', { outcome: 'committed' }],
        records: ['patmint_ledger_group_size_sum'],
        loads: ['patmint_standing_load_duration_seconds_count'],
        lookUps: ['patmint_look_up_batch_size_sum'],
        statements: ['patmint_look_up_batch_size_count'],
        hashes: ['patmint_hash_duration_seconds_count'],
        new: ['patmint_secret_checks_total', { remembered: 'no' }],
        remembered: ['patmint_secret_checks_total', { remembered: 'yes' }],
      },
      async () => {
        await exchange(fresh, { audience: 'https://api.example.com' })
        await exchange(fresh, { audience: 'https://api.example.com' })
      },
    )
    expect(grown).toEqual({
      signatures: 2,
      commits: 2,
      records: 2,
      loads: 2,
      lookUps: 4,
      statements: 2,
      hashes: 1,
      new: 1,
      remembered: 1,
    })
  })
})

describe('what is only looked at when somebody scrapes', () => {
  it('is the pool, the database, the keys and the background tasks', async () => {
    const samples = await scrape()
    expect(sumOf(samples, 'patmint_database_up')).toBe(1)
    expect(sumOf(samples, 'patmint_database_connections')).toBeGreaterThan(0)
    expect(sumOf(samples, 'patmint_ledger_waiting_records')).toBe(0)
    const now = Date.now() / 1000
    const keys = samples.filter(({ name }) => name === 'patmint_signing_key_activated_timestamp_seconds')
    expect(keys.map(({ labels }) => labels['alg']).sort()).toEqual(['ES256', 'EdDSA', 'PS256', 'RS256'])
    for (const { value } of keys) expect(Math.abs(now - value)).toBeLessThan(300)
    const tasks = samples.filter(({ name }) => name === 'patmint_task_last_success_timestamp_seconds')
    expect(tasks.map(({ labels }) => labels['task'])).toEqual([
      'audit partitions',
      'key rotation',
      'purge',
      'signing keys',
    ])
    for (const { value } of tasks) expect(Math.abs(now - value)).toBeLessThan(300)
  })
})

describe('requests', () => {
  it('are counted by the template of their route, never by their path', async () => {
    const route = '/api/v1/tokens/{id}'
    const grown = await growth(
      {
        missing: ['patmint_http_requests_total', { route, method: 'GET', status: '4xx' }],
        timed: ['patmint_http_request_duration_seconds_count', { route, method: 'GET' }],
        list: ['patmint_http_requests_total', { route: '/api/v1/tokens', method: 'GET', status: '2xx' }],
      },
      async () => {
        await callApi(acme.url, acme.janePat, 'GET', '/tokens/0123456789abcdef')
        await callApi(acme.url, acme.janePat, 'GET', '/tokens')
      },
    )
    expect(grown).toEqual({ missing: 1, timed: 1, list: 1 })
  })

  it('make no more series than there are routes, whatever is sent', async () => {
    const paths = OPERATIONS.map(({ path }) => `/api/v1${path.replaceAll(/\{\w+\}/g, () => randomText())}`)
    const known = [...paths, '/oauth2/token', '/oauth2/revoke', '/healthz', '/docs', '/.well-known/jwks.json']
    const targets = () => [...known, `/${randomText()}`, `/oauth2/${randomText()}`, `/${acme.janePat}`]
    for (const method of METHODS) {
      const answers = targets().map((path) => fetch(acme.url + path, { method }))
      for (const answer of await Promise.all(answers)) await answer.arrayBuffer()
    }
    const requests = (await scrape()).filter(({ name }) => name === 'patmint_http_requests_total')
    const routes = new Set(requests.map(({ labels }) => labels['route'] ?? ''))
    const templates = new Set(OPERATIONS.map(({ path }) => `/api/v1${path}`))
    const others = [...routes].filter((route) => !templates.has(route))
    expect(others.every((route) => OTHER_ROUTES.has(route))).toBe(true)
    expect(routes).toContain('unmatched')
    const named = new Set(requests.map(({ labels }) => `${labels['method']} ${labels['route']}`))
    // A method of its own for each operation, HEAD beside GET, and every method where there is no route.
    expect(named.size).toBeLessThanOrEqual(2 * (OPERATIONS.length + OTHER_ROUTES.size) + 8)
    expect(new Set(requests.map(({ labels }) => labels['method'])).has('PROPFIND')).toBe(false)
    expect(requests.length).toBe(4 * named.size)
  })

  it('of a sender who failed too often are counted as shed, and not as refused exchanges of any cause', async () => {
    const own = newMetering()
    const limited = await startAcme({ PATMINT_FAILURES_PER_CREDENTIAL: '2' }, own)
    for (let attempt = 0; attempt < 5; attempt += 1)
      await requestExchange(limited.url, { subject_token: withAnotherSecret(limited.janePat) })
    const samples = parseSamples((await own.meter.render()).text)
    await limited.stop()
    expect(sumOf(samples, 'patmint_requests_shed_total', { reason: 'failures_of_credential' })).toBe(3)
    expect(sumOf(samples, 'patmint_requests_shed_total', { reason: 'too_many_in_flight' })).toBe(0)
    expect(sumOf(samples, 'patmint_exchange_refusals_total')).toBe(2)
  })
})

describe('a database that is away', () => {
  it('makes exchanges fail, counts, and is down', async () => {
    const grown = await growth(
      {
        failed: outcome('failed'),
        refused: outcome('refused'),
        errors: ['patmint_http_requests_total', { route: '/oauth2/token', status: '5xx' }],
      },
      async () => {
        await proxy.refuse()
        expect((await exchange(acme.janePat)).status).toBe(503)
        expect(sumOf(await scrape(), 'patmint_database_up')).toBe(0)
        await proxy.mend()
        expect((await exchange(acme.janePat, { audience: 'https://api.example.com' })).status).toBe(200)
      },
    )
    expect(grown).toEqual({ failed: 1, refused: 0, errors: 1 })
    expect(sumOf(await scrape(), 'patmint_database_up')).toBe(1)
  })
})

describe('no label', () => {
  it('names a user, a client, an audience or a credential', async () => {
    const { text } = await metering.meter.render()
    const never = [
      'acme',
      'jane',
      'orders-service',
      'patmint-cli',
      'api.example.com',
      acme.janePat.slice(4, 20),
    ]
    expect(never.filter((word) => text.includes(word))).toEqual([])
  })
})

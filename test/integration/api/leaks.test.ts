import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../../src/protocol/credential.ts'
import { type Acme, API, mistype, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme({ PATMINT_TRUSTED_PROXIES: '127.0.0.0/8' })
})
afterAll(() => acme.stop())

let clients = 0
/** An address that has reported nothing yet. */
const newAddress = (): string => `198.51.100.${++clients}`
const report = (body: unknown, address = newAddress()): Promise<Answer> =>
  callApi(acme.url, undefined, 'POST', '/leaks', body, { 'X-Forwarded-For': address })

const idOf = (value: string): string => value.slice(4, 20)
const prefixOf = (value: string): string => value.slice(0, 10)
const isAlive = async (value: string): Promise<boolean> =>
  (await requestExchange(acme.url, { subject_token: value, audience: API })).status === 200
const recordsOf = (value: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['subject', 'actor', 'ip', 'reason', 'detail'])
    .where('type', '=', 'credential.revoked')
    .where('credential_id', '=', idOf(value))
    .execute()

let names = 0
const spare = (): Promise<string> => acme.issue('jane@acme.test', { name: `spare ${++names}` })
const neverIssued = (): string => canary(generateCredential('personal', randomBytes).reveal())

async function makeKey(): Promise<string> {
  const body = { name: `key ${++names}`, role: 'analyst' }
  const { json } = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/keys', body)
  return canary(String(json['token']))
}

describe('POST /leaks', () => {
  it('ends what is real, and tells of each in the order of the report', async () => {
    const [pat, key, old] = [await spare(), await makeKey(), await spare()]
    await callApi(acme.url, old, 'DELETE', `/tokens/${idOf(old)}`)
    const [unknown, wrong] = [neverIssued(), withAnotherSecret(acme.samPat)]
    const answer = await report({
      credentials: [mistype(pat), pat, unknown, key, wrong, old, 'ghp_0123456789abcdef', pat, ''],
    })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.json).toEqual({
      revoked: 2,
      results: [
        { prefix: null, status: 'malformed' },
        { prefix: prefixOf(pat), status: 'revoked' },
        { prefix: prefixOf(unknown), status: 'unknown' },
        { prefix: prefixOf(key), status: 'revoked' },
        { prefix: prefixOf(wrong), status: 'unknown' },
        { prefix: prefixOf(old), status: 'already_revoked' },
        { prefix: null, status: 'malformed' },
        { prefix: prefixOf(pat), status: 'already_revoked' },
        { prefix: null, status: 'malformed' },
      ],
    })
    expect(await Promise.all([pat, key, acme.samPat].map(isAlive))).toEqual([false, false, true])
  })

  it('never says more of a value than its display prefix', async () => {
    const values = [await spare(), neverIssued(), mistype(acme.janePat)]
    const { text } = await report({ credentials: values })
    for (const value of values) expect(text).not.toContain(value.slice(0, 11))
    const refused = await report({ credentials: [...values, 'x'.repeat(101)] })
    expect(refused.status).toBe(400)
    for (const value of values) expect(refused.text).not.toContain(value.slice(0, 11))
  })

  it('shows owner and admins why, and records where it was found and by whom it was reported', async () => {
    const pat = await spare()
    await report({ credentials: [pat], source: 'github.com/acme/web' }, '203.0.113.9')
    const own = await callApi(acme.url, acme.janePat, 'GET', `/tokens/${idOf(pat)}`)
    expect(own.json).toMatchObject({ status: 'revoked', status_detail: 'leaked' })
    const seen = await callApi(acme.url, acme.adaPat, 'GET', `/organizations/acme/tokens/${idOf(pat)}`)
    expect(seen.json).toMatchObject({ status: 'revoked', status_detail: 'leaked' })
    expect(await recordsOf(pat)).toEqual([
      {
        subject: own.json['owner'],
        actor: null,
        ip: '203.0.113.9',
        reason: 'leaked',
        detail: { via: 'leaks', source: 'github.com/acme/web' },
      },
    ])
  })

  it('ends one that several report at once a single time', async () => {
    const pat = await spare()
    const answers = await Promise.all(Array.from({ length: 8 }, () => report({ credentials: [pat] })))
    expect(answers.map(({ json }) => Number(json['revoked'])).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 1])
    expect(await recordsOf(pat)).toHaveLength(1)
    expect((await recordsOf(pat))[0]?.detail).toEqual({ via: 'leaks' })
  })

  it('ends what has expired or may not be used from here, so that it never works again', async () => {
    const expired = await acme.issue('jane@acme.test', { name: 'expired', expires_in_seconds: 60 })
    const far = await acme.issue('jane@acme.test', { name: 'far', allowed_cidrs: ['192.0.2.0/24'] })
    acme.setClock(() => new Date(Date.now() + 61_000))
    const answer = await report({ credentials: [expired, far] })
    acme.setClock(() => new Date())
    expect(answer.json['revoked']).toBe(2)
  })

  it('takes a thousand at once, in one transaction', async () => {
    const pats = [await spare(), await spare(), await spare()]
    const credentials = [...pats, ...Array.from({ length: 997 }, () => neverIssued())]
    acme.takeQueries()
    const answer = await report({ credentials })
    const queries = acme.takeQueries()
    expect(answer.json['revoked']).toBe(3)
    expect((answer.json['results'] as unknown[]).length).toBe(1000)
    expect(queries.filter((query) => query === 'begin')).toHaveLength(1)
    expect(queries.length).toBeLessThan(10)
  })

  it('costs no query when nothing is well-formed', async () => {
    acme.takeQueries()
    await report({ credentials: [mistype(acme.janePat), acme.janePat.slice(1), '\0', '💥'] })
    expect(acme.takeQueries()).toEqual([])
  })

  it.each([
    [{}],
    [{ credentials: [] }],
    [{ credentials: 'x' }],
    [{ credentials: [1] }],
    [{ credentials: ['x'.repeat(101)] }],
    [{ credentials: Array.from({ length: 1001 }, () => 'x') }],
    [{ credentials: ['x'], source: '' }],
    [{ credentials: ['x'], source: 'x'.repeat(201) }],
    [{ credentials: ['x'], source: 'line\nbreak' }],
    [{ credentials: ['x'], source: `pat_${'0'.repeat(64)}` }],
    [{ credentials: ['x'], owner: 'jane' }],
    [{ credentials: ['x'], revoked_at: '2026-01-01T00:00:00Z' }],
  ])('refuses a report that is not one %#', async (body) => {
    const answer = await report(body)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
  })

  it('refuses a report that is too long to read', async () => {
    const answer = await report({ credentials: ['x'], source: 'x'.repeat(140_000) })
    expect([answer.status, answer.json['code']]).toEqual([413, 'payload_too_large'])
  })
})

describe('whoever reports too much', () => {
  const statusesOf = async (count: number, body: unknown, address: () => string): Promise<number[]> => {
    const statuses: number[] = []
    for (let n = 0; n < count; n += 1) statuses.push((await report(body, address())).status)
    return statuses
  }

  it('is told after 30 reports when to come back, whatever they were', async () => {
    const address = newAddress()
    const halves = [
      await statusesOf(15, { credentials: ['x'] }, () => address),
      await statusesOf(15, { nonsense: true }, () => address),
    ]
    expect(halves.map((statuses) => new Set(statuses))).toEqual([new Set([200]), new Set([400])])
    const pat = await spare()
    const answer = await report({ credentials: [pat] }, address)
    const seconds = Number(answer.json['retry_after_seconds'])
    expect(answer.json).toEqual({
      type: 'about:blank',
      title: 'Too many requests',
      status: 429,
      code: 'too_many_requests',
      retry_after_seconds: expect.any(Number),
    })
    expect(answer.headers.get('retry-after')).toBe(String(seconds))
    expect(seconds).toBeGreaterThan(0)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(await isAlive(pat)).toBe(true)
    expect((await report({ credentials: [pat] })).json['revoked']).toBe(1)
  })

  it('is told after 10,000 credentials', async () => {
    const address = newAddress()
    const credentials = Array.from({ length: 1000 }, () => 'x')
    expect(new Set(await statusesOf(10, { credentials }, () => address))).toEqual(new Set([200]))
    expect((await report({ credentials: ['x'] }, address)).status).toBe(429)
  })

  it('is one client in a whole IPv6 /56, and another in the next', async () => {
    let host = 0
    const body = { credentials: ['x'] }
    await statusesOf(30, body, () => `2001:db8:0:${(host++).toString(16)}::1`)
    expect((await report(body, '2001:db8:0:ff:ffff::1')).status).toBe(429)
    expect((await report(body, '2001:db8:0:100::1')).status).toBe(200)
  })
})

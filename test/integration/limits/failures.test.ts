// Clients come from whatever address a test gives them: 127.0.0.1 is a trusted proxy here.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../../src/protocol/credential.ts'
import { type Acme, API, ORDERS_BASIC, startAcme, withAnotherSecret } from '../../support/acme.ts'
import { registerAssertionClient } from '../../support/assertion-client.ts'
import { canary } from '../../support/evidence.ts'
import { askForwardAuth, bearer } from '../../support/forward-auth.ts'
import {
  type Answer,
  callApi,
  requestExchange,
  requestIntrospection,
  requestRevocation,
} from '../../support/requests.ts'

const PER_ADDRESS = 12
const PER_CLIENT = 6
const PER_CREDENTIAL = 4
const LIMITS = {
  PATMINT_TRUSTED_PROXIES: '127.0.0.1/32',
  PATMINT_FAILURES_PER_ADDRESS: String(PER_ADDRESS),
  PATMINT_FAILURES_PER_CLIENT: String(PER_CLIENT),
  PATMINT_FAILURES_PER_CREDENTIAL: String(PER_CREDENTIAL),
}
const REFUSED = { error: 'invalid_request', error_description: 'subject_token is not valid' }
const LIMITED = {
  error: 'temporarily_unavailable',
  error_description: 'too many failed attempts, try again later',
}
const WRONG_BASIC = `Basic ${Buffer.from('orders-service:wrong').toString('base64')}`

let acme: Acme
beforeAll(async () => {
  acme = await startAcme(LIMITS)
})
afterAll(() => acme.stop())

const addresses = Array.from({ length: 250 }, (_, n) => `198.51.100.${n + 1}`).values()
/** An address no test has used. */
const newAddress = (): string => addresses.next().value ?? ''
/** Nobody may have more than ten. */
const owners = Array.from({ length: 18 }, (_, n) =>
  n % 2 === 0 ? 'jane@acme.test' : 'sam@acme.test',
).values()
const newPat = (): Promise<string> =>
  acme.issue(owners.next().value ?? '', { name: randomBytes(4).toString('hex') })
const newGarbage = (): string => canary(generateCredential('personal', randomBytes).reveal())

const exchange = (subject_token: string, from: string, headers: Record<string, string> = {}) =>
  requestExchange(
    acme.url,
    { subject_token, audience: API, ...(headers['Authorization'] ? { client_id: undefined } : {}) },
    { 'X-Forwarded-For': from, ...headers },
  )
const times = async (count: number, ask: () => Promise<Answer>): Promise<Answer[]> => {
  const answers = []
  for (let n = 0; n < count; n += 1) answers.push(await ask())
  return answers
}
const expectAll = (answers: readonly Answer[], status: number, body: object): void =>
  expect(answers.map((answer) => [answer.status, answer.json])).toEqual(answers.map(() => [status, body]))

function expectLimited(answer: Answer): void {
  expect([answer.status, answer.text]).toEqual([429, JSON.stringify(LIMITED)])
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expectRetryAfter(answer)
}
function expectRetryAfter(answer: Answer): void {
  const seconds = Number(answer.headers.get('retry-after'))
  expect(seconds).toBeGreaterThan(0)
  expect(seconds).toBeLessThanOrEqual(60)
}

/** Uses up the failures of an address. */
async function flood(from: string): Promise<void> {
  expectAll(await times(PER_ADDRESS, () => exchange(newGarbage(), from)), 400, REFUSED)
}

async function countRecords(): Promise<number> {
  const { count } = await acme.db
    .selectFrom('audit_events')
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

describe('a flood of garbage', () => {
  it('is limited, and neither a credential that worked before nor another address suffers', async () => {
    const [attacker, other] = [newAddress(), newAddress()]
    const [remembered, cold] = [await newPat(), await newPat()]
    expect((await exchange(remembered, other)).status).toBe(200)
    await flood(attacker)
    expectLimited(await exchange(newGarbage(), attacker))
    expectLimited(await exchange(cold, attacker))
    expect((await exchange(remembered, attacker)).status).toBe(200)
    expect((await exchange(cold, other)).status).toBe(200)
    expect((await exchange(cold, attacker)).status).toBe(200)
  })

  it('costs no query and leaves no record once it is limited, whichever client it names', async () => {
    const attacker = newAddress()
    await flood(attacker)
    const records = await countRecords()
    acme.takeQueries()
    const answers = [
      ...(await times(20, () => exchange(newGarbage(), attacker))),
      await exchange(newGarbage(), attacker, { Authorization: ORDERS_BASIC }),
      await exchange(newGarbage(), attacker, { Authorization: WRONG_BASIC }),
      await requestExchange(acme.url, { grant_type: 'password' }, { 'X-Forwarded-For': attacker }),
    ]
    for (const answer of answers) expectLimited(answer)
    expect(acme.takeQueries()).toEqual([])
    expect(await countRecords()).toBe(records)
  })

  it('is told in the log once, and counted', async () => {
    const attacker = newAddress()
    const before = acme.readLoad().refusedAttempts.address
    await flood(attacker)
    await times(20, () => exchange(newGarbage(), attacker))
    const lines = readFileSync(acme.logPath, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ level, ip }) => level !== 'debug' && ip === attacker)
    expect(lines.filter(({ msg }) => msg === 'too many failures')).toEqual([
      expect.objectContaining({ level: 'info', limit: 'address', ip: attacker }),
    ])
    expect(lines.filter(({ msg }) => msg !== 'too many failures')).toHaveLength(PER_ADDRESS)
    expect(acme.readLoad().refusedAttempts.address).toBe(before + 20)
  })
})

describe('honest requests', () => {
  it('are never limited, however often they are refused for what they ask', async () => {
    const office = newAddress()
    const pat = await newPat()
    const headers = { 'X-Forwarded-For': office }
    const ask = (form: Record<string, string>) =>
      requestExchange(acme.url, { subject_token: pat, audience: API, ...form }, headers)
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        ask(n % 2 === 0 ? { scope: 'nothing:here' } : { audience: 'https://nobody.example' }),
      ),
    )
    expect(new Set(answers.map(({ json }) => json['error']))).toEqual(
      new Set(['invalid_scope', 'invalid_target']),
    )
    expect((await exchange(await newPat(), office)).status).toBe(200)
  })

  it('are not limited for credentials that were revoked or mistyped and are still in use', async () => {
    const office = newAddress()
    const revoked = await newPat()
    await callApi(acme.url, revoked, 'DELETE', `/tokens/${revoked.slice(4, 20)}`)
    expectAll(await times(2 * PER_ADDRESS, () => exchange(revoked, office)), 400, REFUSED)
    expectAll(await times(2 * PER_ADDRESS, () => exchange(`${revoked}x`, office)), 400, REFUSED)
    expect((await exchange(await newPat(), office)).status).toBe(200)
  })
})

describe('guesses at a credential whose id is known', () => {
  it('are limited where they come from, and its owner is never locked out', async () => {
    const [attacker, home] = [newAddress(), newAddress()]
    const pat = await newPat()
    const guess = () => exchange(withAnotherSecret(pat), attacker)
    expectAll(await times(PER_CREDENTIAL, guess), 400, REFUSED)
    expectLimited(await guess())
    expect((await exchange(pat, home)).status).toBe(200)
    // It matched there, so that it is no guess here.
    expect((await exchange(pat, attacker)).status).toBe(200)
    expectLimited(await guess())
    expect((await exchange(await newPat(), attacker)).status).toBe(200)
  })

  it('do not tell an id that exists from one that does not', async () => {
    const attacker = newAddress()
    const unknown = newGarbage()
    const guess = () => exchange(withAnotherSecret(unknown), attacker)
    expectAll(await times(PER_CREDENTIAL, guess), 400, REFUSED)
    expectLimited(await guess())
  })
})

describe('a confidential client', () => {
  it('whose authentication fails is limited by its address, and works from everywhere else', async () => {
    const [attacker, home] = [newAddress(), newAddress()]
    const answers = await times(PER_ADDRESS, () =>
      exchange(acme.janePat, attacker, { Authorization: WRONG_BASIC }),
    )
    expect(new Set(answers.map(({ status, json }) => `${status} ${json['error']}`))).toEqual(
      new Set(['401 invalid_client']),
    )
    const cold = await newPat()
    expectLimited(await exchange(cold, attacker, { Authorization: ORDERS_BASIC }))
    expect((await exchange(cold, home, { Authorization: ORDERS_BASIC })).status).toBe(200)
  })

  it('answers for what it forwards, wherever it is, and its address does not', async () => {
    const [gateway, elsewhere] = [newAddress(), newAddress()]
    const forward = (token: string, from = gateway) => exchange(token, from, { Authorization: ORDERS_BASIC })
    const remembered = await newPat()
    expect((await forward(remembered)).status).toBe(200)
    expectAll(await times(PER_CLIENT, () => forward(newGarbage())), 400, REFUSED)
    const [cold, records] = [await newPat(), await countRecords()]
    expectLimited(await forward(newGarbage()))
    expectLimited(await forward(cold, elsewhere))
    expect(await countRecords()).toBe(records)
    expect((await forward(remembered)).status).toBe(200)
    expect((await exchange(await newPat(), gateway)).status).toBe(200)
  })
})

describe('the other places a credential is presented at', () => {
  it('count and limit as well: the management API', async () => {
    const attacker = newAddress()
    const headers = { 'X-Forwarded-For': attacker }
    const me = (token: string) => callApi(acme.url, token, 'GET', '/me', undefined, headers)
    const answers = await times(PER_ADDRESS, () => me(newGarbage()))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    acme.takeQueries()
    const limited = await me(newGarbage())
    expect([limited.status, limited.json]).toEqual([
      429,
      {
        type: 'about:blank',
        title: 'Too many requests',
        status: 429,
        code: 'too_many_requests',
        retry_after_seconds: Number(limited.headers.get('retry-after')),
      },
    ])
    expectRetryAfter(limited)
    expectLimited(await exchange(newGarbage(), attacker))
    expect(acme.takeQueries()).toEqual([])
    expect((await me(acme.adminToken)).status).toBe(200)
  })

  it('count and limit as well: a proxy, for the address it forwards', async () => {
    const [attacker, other] = [newAddress(), newAddress()]
    const ask = (token: string, from: string) =>
      askForwardAuth(acme.url, { audience: API }, { ...bearer(token), 'X-Forwarded-For': from })
    const answers = await times(PER_ADDRESS, () => ask(newGarbage(), attacker))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    const [cold, records] = [await newPat(), await countRecords()]
    acme.takeQueries()
    expectLimited(await ask(newGarbage(), attacker))
    expectLimited(await ask(cold, attacker))
    expectLimited(await exchange(newGarbage(), attacker))
    expect(acme.takeQueries()).toEqual([])
    expect(await countRecords()).toBe(records)
    expect((await ask(cold, other)).status).toBe(200)
    expect((await ask(cold, attacker)).status).toBe(200)
  })

  it('count and limit as well: revocation', async () => {
    const attacker = newAddress()
    const pat = await newPat()
    const burn = (token: string) => requestRevocation(acme.url, { token }, { 'X-Forwarded-For': attacker })
    const answers = await times(PER_CREDENTIAL, () => burn(withAnotherSecret(pat)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    acme.takeQueries()
    expectLimited(await burn(withAnotherSecret(pat)))
    expectLimited(await burn(pat))
    expect(acme.takeQueries()).toEqual([])
    expect((await exchange(pat, newAddress())).status).toBe(200)
    expect((await burn(pat)).status).toBe(200)
    expect((await exchange(pat, newAddress())).status).toBe(400)
  })

  it('count and limit guesses by introspection, on the client that makes them; what is no credential is no guess', async () => {
    const assert = await registerAssertionClient(acme)
    const ask = async (token: string) =>
      requestIntrospection(acme.url, { token, ...(await assert()) }, { 'X-Forwarded-For': newAddress() })
    const pat = await newPat()
    expectAll(await times(2 * PER_CLIENT, () => ask('a.b.c')), 200, { active: false })
    expectAll(await times(PER_CLIENT, () => ask(newGarbage())), 200, { active: false })
    expectLimited(await ask(pat))
  })

  it('count failed authentication of whoever introspects on its address', async () => {
    const attacker = newAddress()
    const ask = () =>
      requestIntrospection(
        acme.url,
        { token: 'x' },
        { Authorization: WRONG_BASIC, 'X-Forwarded-For': attacker },
      )
    const answers = await times(PER_ADDRESS, ask)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expectLimited(await ask())
  })

  it('count and limit guesses at one credential: reports of leaks, of which any number may be unknown', async () => {
    const attacker = newAddress()
    const pat = await newPat()
    const report = (...credentials: string[]) =>
      callApi(acme.url, undefined, 'POST', '/leaks', { credentials }, { 'X-Forwarded-For': attacker })
    expect((await report(...Array.from({ length: 5 * PER_ADDRESS }, newGarbage))).status).toBe(200)
    const guesses = Array.from({ length: PER_CREDENTIAL }, () => withAnotherSecret(pat))
    expect((await report(...guesses)).json['revoked']).toBe(0)
    const limited = await report(pat, newGarbage())
    expect([limited.status, limited.json['code']]).toEqual([429, 'too_many_requests'])
    expectRetryAfter(limited)
    expect((await exchange(pat, newAddress())).status).toBe(200)
  })
})

describe('Retry-After', () => {
  it('is when it works again', async () => {
    const server = await startAcme({ ...LIMITS, PATMINT_FAILURE_WINDOW_SECONDS: '3' })
    const form = () => ({ subject_token: newGarbage(), audience: API })
    await Promise.all(Array.from({ length: PER_ADDRESS }, () => requestExchange(server.url, form())))
    const limited = await requestExchange(server.url, form())
    expect(limited.status).toBe(429)
    await sleep(Number(limited.headers.get('retry-after')) * 1000)
    expect((await requestExchange(server.url, form())).json).toEqual(REFUSED)
    await server.stop()
  })
})

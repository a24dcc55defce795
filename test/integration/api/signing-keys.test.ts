// Two instances on one database: what is done to the ring at one of them, and what the other makes of it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir, newSecretKey } from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { ISSUER, startTestServer, type TestServer } from '../../support/test-server.ts'

const MANAGEMENT = `${ISSUER}/api`
/** A little after what was made for the test. */
const START = new Date(Math.ceil(Date.now() / 1000) * 1000 + 60_000)
const WAIT_MS = 20_000
/** Published to active: max-age, three looks a second apart, and the skew of clocks. */
const LEAD_SECONDS = 300 + 3 + 30
const STAY_SECONDS = 3600 + LEAD_SECONDS

let acme: Acme
let other: TestServer
let clerkPat: string
beforeAll(async () => {
  const shared = {
    PATMINT_DATABASE_URL: await createTestDatabase(),
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_KEY_POLL_SECONDS: '1',
  }
  acme = await startAcme(shared)
  other = await startTestServer(shared)
  const file = join(newDataDir(), 'clerk.yaml')
  writeFileSync(
    file,
    `
roles:
  - organization: acme
    name: clerk
    permissions: [{ audience: "${MANAGEMENT}", scopes: ["signing-keys:*"] }]
users: [{ email: clerk@acme.test, name: Clerk, memberships: [{ organization: acme, role: clerk }] }]
`,
  )
  await acme.apply([file])
  clerkPat = await acme.issue('clerk@acme.test', { name: 'laptop' })
  setClock(START)
})
afterAll(async () => {
  await other.stop()
  await acme.stop()
})

function setClock(now: Date): void {
  for (const server of [acme, other]) server.setClock(() => now)
}
const at = (seconds: number): Date => new Date(START.getTime() + seconds * 1000)

interface Key {
  readonly kid: string
  readonly alg: string
  readonly state: string
  readonly withdrawn_at: string | null
}

const call = (method: string, path: string, body?: unknown, server: TestServer = acme): Promise<Answer> =>
  callApi(server.url, acme.adminToken, method, path, body)
const rotate = async (alg: string): Promise<Key[]> =>
  (await call('POST', '/signing-keys/rotate', { algs: [alg] })).json['published'] as Key[]
const withdraw = async (kid: string): Promise<number> => (await call('DELETE', `/signing-keys/${kid}`)).status
const listKeys = async (alg: string): Promise<Key[]> =>
  ((await call('GET', '/signing-keys?limit=200')).json['items'] as Key[]).filter((key) => key.alg === alg)
/** The states of an algorithm's keys that are not gone, newest first. */
const statesOf = async (alg: string): Promise<string[]> =>
  (await listKeys(alg)).map(({ state }) => state).filter((state) => state !== 'gone')
async function keyOf(alg: string, state: string): Promise<string> {
  const key = (await listKeys(alg)).find((one) => one.state === state)
  if (!key) throw new Error(`no ${state} key for ${alg}`)
  return key.kid
}
const publishedBy = async ({ url }: TestServer): Promise<string[]> => {
  const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: Key[] }
  return keys.map(({ kid }) => kid)
}
async function exchange(server: TestServer = acme): Promise<string> {
  const form = { subject_token: acme.adaPat, audience: MANAGEMENT }
  return String((await requestExchange(server.url, form)).json['access_token'])
}
const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid)
const statusOf = async (token: string, server: TestServer): Promise<number> =>
  (await callApi(server.url, token, 'GET', '/tokens')).status

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await sleep(50)
  }
}

const listEvents = (kid: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['type', 'detail'])
    .where('target', '=', `signing_key:${kid}`)
    .orderBy('id')
    .execute()

const sealsOf = (kid: string) =>
  acme.db.selectFrom('signing_keys').select('private_key_jwe').where('kid', '=', kid).execute()

describe('a rotation', () => {
  afterEach(() => setClock(START))

  it('publishes the next key, which takes over when nobody can miss it; the old one stays as long as it is needed', async () => {
    const before = await keyOf('ES256', 'active')
    const [next] = await rotate('ES256')
    expect(next).toEqual({
      kid: expect.stringMatching(/^[\w-]{43}$/),
      alg: 'ES256',
      state: 'published',
      published_at: START.toISOString(),
      activates_at: at(LEAD_SECONDS).toISOString(),
      retires_at: null,
      gone_at: null,
      withdrawn_at: null,
    })
    const nextKid = next?.kid ?? ''
    expect(await publishedBy(acme)).toEqual(expect.arrayContaining([before, nextKid]))
    await waitUntil(async () => (await publishedBy(other)).includes(nextKid))

    const story = []
    for (const seconds of [LEAD_SECONDS - 1, LEAD_SECONDS, LEAD_SECONDS + 1]) {
      setClock(at(seconds))
      story.push([kidOf(await exchange()), kidOf(await exchange(other)), await statesOf('ES256')])
    }
    expect(story).toEqual([
      [before, before, ['published', 'active']],
      [nextKid, nextKid, ['active', 'retired']],
      [nextKid, nextKid, ['active', 'retired']],
    ])
    setClock(at(LEAD_SECONDS + STAY_SECONDS - 1))
    expect(await statesOf('ES256')).toEqual(['active', 'retired'])
    // Whatever is asked for, the ring is read anew.
    await rotate('PS256')
    expect(await publishedBy(acme)).toContain(before)
    setClock(at(LEAD_SECONDS + STAY_SECONDS))
    await rotate('PS256')
    expect(await publishedBy(acme)).not.toContain(before)
    expect(await statesOf('ES256')).toEqual(['active'])
    await waitUntil(async () => !(await publishedBy(other)).includes(before))
    expect(await listEvents(nextKid)).toEqual([
      {
        type: 'signing_key.rotated',
        detail: { alg: 'ES256', replaces: before, activates_at: at(LEAD_SECONDS).toISOString() },
      },
    ])
  })

  it('happens once, however many ask for it at once', async () => {
    const ask = (server: TestServer) => call('POST', '/signing-keys/rotate', { algs: ['EdDSA'] }, server)
    const answers = await Promise.all([acme, other, acme, other].map(ask))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(answers.flatMap(({ json }) => json['published'])).toHaveLength(1)
    expect(await statesOf('EdDSA')).toEqual(['published', 'active'])
  })

  it('keeps one line for each algorithm: without a body it turns all that are not turning', async () => {
    const { json } = await call('POST', '/signing-keys/rotate')
    expect((json['published'] as Key[]).map(({ alg }) => alg)).toEqual(['RS256'])
  })
})

describe('a key that is withdrawn', () => {
  const LATER = 100_000
  afterEach(() => setClock(START))

  it('leaves every JWKS, loses its private half, and what it signed is refused; another one signs', async () => {
    setClock(at(LATER))
    const kid = await keyOf('ES256', 'active')
    const token = await exchange()
    expect([kidOf(token), await statusOf(token, acme), await statusOf(token, other)]).toEqual([kid, 200, 200])
    expect(await withdraw(kid)).toBe(204)
    const replacement = await keyOf('ES256', 'active')
    expect(await publishedBy(acme)).not.toContain(kid)
    expect(await statusOf(token, acme)).toBe(401)
    expect(kidOf(await exchange())).toBe(replacement)
    await waitUntil(async () => !(await publishedBy(other)).includes(kid))
    expect(await statusOf(token, other)).toBe(401)
    const fresh = await exchange(other)
    expect([kidOf(fresh), await statusOf(fresh, acme)]).toEqual([replacement, 200])
    expect(await sealsOf(kid)).toEqual([{ private_key_jwe: null }])
    expect((await listEvents(kid)).at(-1)).toEqual({
      type: 'signing_key.withdrawn',
      detail: { alg: 'ES256', replacement },
    })
  })

  it('is succeeded by the next one, if that is published already', async () => {
    setClock(at(LATER))
    const kid = await keyOf('ES256', 'active')
    const [next] = await rotate('ES256')
    await withdraw(kid)
    expect(kidOf(await exchange())).toBe(next?.kid)
    expect(await statesOf('ES256')).toEqual(['active'])
  })

  it('when it only was to sign, leaves the one before it to sign on', async () => {
    setClock(at(LATER))
    const kid = await keyOf('ES256', 'active')
    const [next] = await rotate('ES256')
    await withdraw(next?.kid ?? '')
    setClock(at(LATER + LEAD_SECONDS + STAY_SECONDS))
    expect(await statesOf('ES256')).toEqual(['active'])
    expect(kidOf(await exchange())).toBe(kid)
  })

  it('when it signed no more, changes nothing for the one that does', async () => {
    setClock(at(LATER))
    const old = await keyOf('ES256', 'active')
    const [next] = await rotate('ES256')
    setClock(at(LATER + LEAD_SECONDS))
    await withdraw(old)
    expect(await statesOf('ES256')).toEqual(['active'])
    expect(kidOf(await exchange())).toBe(next?.kid)
    expect((await listEvents(old)).at(-1)?.detail).toEqual({ alg: 'ES256', replacement: null })
  })

  it('stays so: a second time changes nothing and is not recorded', async () => {
    const kid = (await listKeys('ES256')).find(({ withdrawn_at }) => withdrawn_at !== null)?.kid ?? ''
    const before = [await listKeys('ES256'), await listEvents(kid)]
    expect(await withdraw(kid)).toBe(204)
    expect([await listKeys('ES256'), await listEvents(kid)]).toEqual(before)
  })

  it('is in the version its reader saw, or stays', async () => {
    setClock(at(LATER))
    const path = `/signing-keys/${await keyOf('RS256', 'active')}`
    const seen = await call('GET', path)
    const ifMatch = { 'If-Match': seen.headers.get('etag') ?? '' }
    await rotate('RS256')
    const refused = await callApi(acme.url, acme.adminToken, 'DELETE', path, undefined, ifMatch)
    expect([refused.status, refused.json['code']]).toEqual([412, 'precondition_failed'])
    expect((await call('GET', path)).json).toEqual({
      ...seen.json,
      retires_at: expect.any(String),
      gone_at: expect.any(String),
    })
  })

  it('must exist', async () => {
    expect((await call('GET', `/signing-keys/${'k'.repeat(43)}`)).status).toBe(404)

    expect((await call('DELETE', `/signing-keys/${'k'.repeat(43)}`)).status).toBe(404)
    expect((await call('DELETE', '/signing-keys/k')).status).toBe(404)
  })
})

describe('the list', () => {
  it('goes through every key there ever was, page by page, newest first', async () => {
    const all = (await call('GET', '/signing-keys?limit=200')).json['items']
    const paged: unknown[] = []
    let cursor = ''
    do {
      const { json } = await call('GET', `/signing-keys?limit=2${cursor}`)
      paged.push(...(json['items'] as unknown[]))
      cursor = json['next_cursor'] === null ? '' : `&cursor=${json['next_cursor']}`
    } while (cursor)
    expect(paged).toEqual(all)
    expect(paged.length).toBeGreaterThan(7)
  })

  it.each([
    ['GET', '/signing-keys', 'Reading signing keys'],
    ['GET', `/signing-keys/${'k'.repeat(43)}`, 'Reading signing keys'],
    ['POST', '/signing-keys/rotate', 'Rotating signing keys'],
    ['DELETE', `/signing-keys/${'k'.repeat(43)}`, 'Withdrawing signing keys'],
  ])('is the platform’s, as is all that is done to it: %s %s', async (method, path, what) => {
    const { status, json } = await callApi(acme.url, clerkPat, method, path)
    expect([status, json['detail']]).toEqual([403, `${what} takes rights in every organization`])
  })
})

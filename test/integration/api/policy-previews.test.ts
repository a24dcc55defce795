import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { createRandom, readSeed } from '../../support/seeded-random.ts'
import { DirectoryDesk, FORBIDDEN, INVALID, NOT_FOUND, refusalOf } from './directory-desk.ts'

const DAY = 86_400
const NOW = new Date('2026-06-01T12:00:00.000Z')
const NO_RULES = {
  max_lifetime_seconds: null,
  default_lifetime_seconds: null,
  idle_timeout_seconds: null,
  access_token_max_ttl_seconds: null,
  max_active_tokens: 1000,
  applies_to: 'all',
  exempt_roles: [] as string[],
}
const PLATFORM = '/policy'
const OF_ACME = '/organizations/acme/policy'

let acme: Acme
let desk: DirectoryDesk
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
})
afterAll(() => acme.stop())

const daysAgo = (days: number): Date => new Date(NOW.getTime() - days * DAY * 1000)

/** Sets what cannot be lived through in a test. */
const backdate = (
  pat: string,
  createdDays: number,
  usedDays: number | null,
  recentUse = 0,
): Promise<unknown> =>
  sql`update credentials set created_at = ${daysAgo(createdDays)},
    last_used_at = ${usedDays === null ? null : daysAgo(usedDays)}, recent_use = ${recentUse}
    where id = ${idOf(pat)}`.execute(acme.db)

const idOf = (pat: string): string => pat.slice(4, 20)
const preview = (token: string, path: string, policy: object, query = '') =>
  desk.call(token, 'POST', `${path}/preview${query}`, policy)
const idsIn = (json: Record<string, unknown>): string[] =>
  (json['items'] as { id: string }[]).map(({ id }) => id)

async function liftAll(): Promise<void> {
  await desk.admin('PUT', PLATFORM, NO_RULES)
  await desk.admin('PUT', OF_ACME, NO_RULES)
}

describe('a preview', () => {
  let [old, older, unused, key] = ['', '', '', '']
  beforeAll(async () => {
    acme.setClock(() => NOW)
    // Whatever else there is, is as new as can be.
    await sql`update credentials set created_at = ${NOW}, last_used_at = null`.execute(acme.db)
    await liftAll()
    old = await acme.issue('jane@acme.test', { name: 'old' })
    older = await acme.issue('sam@acme.test', { name: 'older' })
    unused = await acme.issue('sam@acme.test', { name: 'unused' })
    key = await desk.issueKey('acme', 'engineer')
    await backdate(old, 85, 1, 500)
    await backdate(older, 200, 40, 600)
    await backdate(unused, 88, null)
    await backdate(key, 70, 3, 2)
  })
  afterEach(() => acme.setClock(() => NOW))

  const POLICY = { ...NO_RULES, max_lifetime_seconds: 90 * DAY }

  it('tells how many, whose and which would stop, the most used first', async () => {
    const { status, json } = await preview(acme.adminToken, PLATFORM, POLICY)
    const item = (pat: string, name: unknown, owner: unknown, lastUsed: number | null, stops: number) => ({
      id: idOf(pat),
      kind: pat.startsWith('key_') ? 'organization' : 'personal',
      name,
      prefix: pat.slice(0, 10),
      organization: 'acme',
      owner,
      last_used_at: lastUsed === null ? null : daysAgo(lastUsed).toISOString(),
      stops_at: daysAgo(stops - 90).toISOString(),
      rule: 'max_lifetime',
      level: 'platform',
    })
    const jane = { id: await desk.findUserId('jane@acme.test'), name: 'Jane', email: 'jane@acme.test' }
    const sam = { id: await desk.findUserId('sam@acme.test'), name: 'Sam', email: 'sam@acme.test' }
    expect([status, json]).toEqual([
      200,
      {
        stops_now: 1,
        stops_within_7_days: 3,
        stops_within_30_days: 4,
        in_use: 0,
        stops_caller: false,
        items: [
          item(old, 'old', jane, 1, 85),
          item(older, 'older', sam, 40, 200),
          item(key, expect.any(String), null, 3, 70),
          item(unused, 'unused', sam, null, 88),
        ],
      },
    ])
  })

  it('counts as in use what was used in the last 30 days, to the second', async () => {
    const policy = { ...NO_RULES, max_lifetime_seconds: 80 * DAY }
    const count = async () => (await preview(acme.adminToken, PLATFORM, policy)).json['in_use']
    await backdate(old, 85, 30 - 1 / DAY)
    expect(await count()).toBe(1)
    await backdate(old, 85, 30 + 1 / DAY)
    expect(await count()).toBe(0)
    await backdate(old, 85, 1, 500)
  })

  it('changes nothing', async () => {
    const read = async () => (await desk.call(acme.adminToken, 'GET', PLATFORM)).json
    const before = await read()
    await preview(acme.adminToken, PLATFORM, { ...POLICY, max_lifetime_seconds: 1 })
    expect(await read()).toEqual(before)
    expect(await desk.scopeOf(old)).not.toBeNull()
  })

  it('shows as many as are asked for, and counts them all', async () => {
    const { json } = await preview(acme.adminToken, PLATFORM, POLICY, '?limit=2')
    expect([json['stops_within_30_days'], idsIn(json)]).toEqual([4, [idOf(old), idOf(older)]])
    expect(idsIn((await preview(acme.adminToken, PLATFORM, POLICY, '?limit=0')).json)).toEqual([])
    for (const limit of ['201', '-1', '1.5', 'x', ''])
      expect(refusalOf(await preview(acme.adminToken, PLATFORM, POLICY, `?limit=${limit}`))).toEqual(INVALID)
  })

  it('spares exempt roles, and with "new" what was made before', async () => {
    const exempt = await preview(acme.adminToken, PLATFORM, { ...POLICY, exempt_roles: ['engineer'] })
    expect(idsIn(exempt.json)).toEqual([idOf(old)])
    const fresh = await preview(acme.adminToken, PLATFORM, { ...POLICY, applies_to: 'new' })
    expect(fresh.json).toMatchObject({ stops_within_30_days: 0, items: [] })
  })

  it('counts only what the present policies would leave working', async () => {
    await desk.admin('PUT', OF_ACME, { ...NO_RULES, max_lifetime_seconds: 90 * DAY })
    const same = await preview(acme.adminToken, PLATFORM, POLICY)
    // What stops later stops under either.
    expect(same.json).toMatchObject({ stops_now: 0, stops_within_7_days: 2, stops_within_30_days: 3 })
    const tighter = await preview(acme.adminToken, PLATFORM, { ...POLICY, max_lifetime_seconds: 86 * DAY })
    expect([tighter.json['stops_now'], idsIn(tighter.json)]).toEqual([
      1,
      [idOf(old), idOf(key), idOf(unused)],
    ])
    await liftAll()
  })

  it('tells what the policy in force stops, and what one that is a little looser still does', async () => {
    const ofDays = (days: number) => ({ ...NO_RULES, max_lifetime_seconds: days * DAY })
    await desk.admin('PUT', PLATFORM, ofDays(103))
    for (const days of [103, 110]) {
      const { json } = await preview(acme.adminToken, PLATFORM, ofDays(days))
      expect([days, json['stops_now'], idsIn(json)]).toEqual([days, 0, [idOf(old), idOf(unused)]])
      const { json: ofAcme } = await preview(acme.adaPat, OF_ACME, ofDays(days))
      // There, of what stops under the platform's, only that which would do so no later.
      expect([days, idsIn(ofAcme).length]).toEqual([days, days === 103 ? 2 : 0])
    }
    await liftAll()
  })

  it('counts as in use what stops within a day, to the second, unless it would anyway', async () => {
    const count = async () => (await preview(acme.adminToken, PLATFORM, POLICY)).json['in_use']
    await backdate(old, 89 - 1 / DAY, 1)
    expect(await count()).toBe(0)
    await backdate(old, 89, 1)
    expect(await count()).toBe(1)
    await desk.admin('PUT', PLATFORM, { ...POLICY, confirm: 1 })
    expect(await count()).toBe(0)
    await liftAll()
    await backdate(old, 85, 1, 500)
  })

  it('tells whether it stops the credential it is asked with, within a day, however few are shown', async () => {
    const ask = async () => (await preview(acme.adaPat, OF_ACME, POLICY, '?limit=0')).json['stops_caller']
    await backdate(acme.adaPat, 89 - 1 / DAY, 1)
    expect(await ask()).toBe(false)
    await backdate(acme.adaPat, 89, 1)
    expect(await ask()).toBe(true)
    await backdate(acme.adaPat, 0, null)
  })

  it('of an organization is of its own credentials, for its admins', async () => {
    const { json } = await preview(acme.adaPat, OF_ACME, POLICY)
    expect([json['stops_within_30_days'], (json['items'] as object[])[0]]).toEqual([
      4,
      expect.objectContaining({ level: 'organization', id: idOf(old) }),
    ])
    const beta = '/organizations/beta/policy'
    expect((await preview(acme.adminToken, beta, POLICY)).json).toMatchObject({ stops_within_30_days: 0 })
    expect(refusalOf(await preview(acme.adaPat, beta, POLICY))).toEqual(NOT_FOUND)
    expect(refusalOf(await preview(acme.adaPat, PLATFORM, POLICY))).toEqual(FORBIDDEN)
    expect(refusalOf(await preview(acme.samPat, OF_ACME, POLICY))).toEqual(FORBIDDEN)
  })

  it('names people only to whoever may know them', async () => {
    const audience = `${acme.issuer}/api`
    await acme.db
      .updateTable('credentials')
      .set({ permissions: JSON.stringify([{ audience, scopes: ['policy:read'] }]) })
      .where('id', '=', idOf(acme.adaPat))
      .execute()
    const { json } = await preview(acme.adaPat, OF_ACME, POLICY)
    expect((json['items'] as Record<string, unknown>[])[0]?.['owner']).toEqual({
      id: await desk.findUserId('jane@acme.test'),
      name: null,
      email: null,
    })
    await acme.db
      .updateTable('credentials')
      .set({ permissions: null })
      .where('id', '=', idOf(acme.adaPat))
      .execute()
  })

  it('gives all of them as CSV, and nothing that a spreadsheet would run', async () => {
    await backdate(old, 85, 1, 500)
    const name = '=HYPERLINK("https://evil.example","x"), or not'
    await sql`update credentials set name = ${name} where id = ${idOf(older)}`.execute(acme.db)
    const response = await fetch(`${acme.url}/api/v1/policy/preview`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${acme.adminToken}`,
        'Content-Type': 'application/json',
        Accept: 'text/csv',
      },
      body: JSON.stringify(POLICY),
    })
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/csv; charset=utf-8; header=present',
    ])
    const [jane, sam] = [await desk.findUserId('jane@acme.test'), await desk.findUserId('sam@acme.test')]
    const quoted = `"'=HYPERLINK(""https://evil.example"",""x""), or not"`
    const at = (days: number): string => daysAgo(days).toISOString()
    const keyName = (await desk.call(acme.adaPat, 'GET', `/organizations/acme/keys/${idOf(key)}`)).json[
      'name'
    ]
    expect((await response.text()).split('\r\n')).toEqual([
      'id,kind,name,prefix,organization,owner_id,owner_name,owner_email,last_used_at,stops_at,rule,level',
      `${idOf(old)},personal,old,${old.slice(0, 10)},acme,${jane},Jane,jane@acme.test,${at(1)},${at(-5)},max_lifetime,platform`,
      `${idOf(older)},personal,${quoted},${older.slice(0, 10)},acme,${sam},Sam,sam@acme.test,${at(40)},${at(110)},max_lifetime,platform`,
      `${idOf(key)},organization,${keyName},${key.slice(0, 10)},acme,,,,${at(3)},${at(-20)},max_lifetime,platform`,
      `${idOf(unused)},personal,unused,${unused.slice(0, 10)},acme,${sam},Sam,sam@acme.test,,${at(-2)},max_lifetime,platform`,
      '',
    ])
  })

  it.each(Object.keys(NO_RULES))('takes no absence of %s for "no rule"', async (field) => {
    const { [field as keyof typeof NO_RULES]: _, ...rest } = NO_RULES
    expect(refusalOf(await preview(acme.adminToken, PLATFORM, rest))).toEqual(INVALID)
  })
})

describe('a change that stops what is in use', () => {
  it('is made by whoever confirms how much, and by nobody else', async () => {
    acme.setClock(() => NOW)
    await liftAll()
    const [first, second] = [
      await acme.issue('jane@acme.test', { name: 'first' }),
      await acme.issue('jane@acme.test', { name: 'second' }),
    ]
    await backdate(first, 100, 2)
    await backdate(second, 100, 20)
    const policy = { ...NO_RULES, max_lifetime_seconds: 99 * DAY }
    const put = (confirm?: unknown) =>
      desk.call(acme.adaPat, 'PUT', OF_ACME, confirm === undefined ? policy : { ...policy, confirm })
    const before = (await desk.call(acme.adaPat, 'GET', OF_ACME)).json
    for (const confirm of [undefined, 0, 1, 3]) {
      const { status, json } = await put(confirm)
      expect([status, json]).toEqual([
        409,
        {
          type: 'about:blank',
          title: 'The change would stop credentials in use',
          status: 409,
          code: 'confirmation_required',
          detail: 'It would stop 2 used in the last 30 days, now or within 24 hours',
          count: 2,
        },
      ])
    }
    expect(refusalOf(await put('2'))).toEqual(INVALID)
    expect((await desk.call(acme.adaPat, 'GET', OF_ACME)).json).toEqual(before)
    expect(await desk.scopeOf(first)).not.toBeNull()
    expect((await put(2)).status).toBe(200)
    expect(await desk.scopeOf(first)).toBeNull()
    await liftAll()
  })

  it('is not made without asking because it strikes a few seconds later', async () => {
    acme.setClock(() => NOW)
    const pat = await acme.issue('jane@acme.test', { name: 'in daily use' })
    await backdate(pat, 10 - 3 / DAY, 1)
    const policy = { ...NO_RULES, max_lifetime_seconds: 10 * DAY }
    const refused = await desk.call(acme.adaPat, 'PUT', OF_ACME, policy)
    const { json } = await preview(acme.adaPat, OF_ACME, policy)
    expect([...refusalOf(refused), refused.json['count']]).toEqual([
      409,
      'confirmation_required',
      json['in_use'],
    ])
    await desk.admin('PUT', OF_ACME, { ...policy, confirm: json['in_use'] })
    const [version] = await desk.listAll(acme.adaPat, `${OF_ACME}/versions`, 200)
    expect(version).toMatchObject({ stopped: json['stops_now'], stopped_in_use: json['in_use'] })
    await liftAll()
  })
})

describe('a preview and reality', () => {
  const ROUNDS = 6
  const CREDENTIALS = 12

  it('agree: what it says stops now is what is refused after the change', async () => {
    const seed = readSeed('PREVIEW_SEED')
    const random = createRandom(seed)
    const below = (limit: number): number => Math.floor(random() * limit)
    const maybe = <T>(value: T): T | null => (random() < 0.5 ? value : null)
    acme.setClock(() => NOW)
    await liftAll()
    const people = ['jane@acme.test', 'sam@acme.test']
    const pats = await Promise.all(
      Array.from({ length: CREDENTIALS }, (_, n) =>
        acme.issue(people[n % 2] ?? '', { name: `of population ${n}` }),
      ),
    )
    const ids = new Set(pats.map(idOf))
    const listWorking = async (): Promise<string[]> => {
      const scopes = await Promise.all(pats.map((pat) => desk.scopeOf(pat)))
      return pats.filter((_, n) => scopes[n] !== null).map(idOf)
    }
    /** Everything is a day old at least. */
    const STOPS_ALL = { ...NO_RULES, max_lifetime_seconds: DAY }
    const anyPolicy = () => ({
      ...NO_RULES,
      max_lifetime_seconds: maybe(DAY * (1 + below(300))),
      idle_timeout_seconds: maybe(DAY * (1 + below(100))),
      applies_to: random() < 0.8 ? 'all' : 'new',
      exempt_roles: random() < 0.3 ? ['analyst'] : [],
    })
    let stopped = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      await liftAll()
      const [present, proposed] = round % 2 === 0 ? [PLATFORM, OF_ACME] : [OF_ACME, PLATFORM]
      // Uses are noted: of what is tried, by a day that has passed.
      for (const pat of pats) await backdate(pat, 1 + below(300), maybe(below(100)))
      const times = await acme.db
        .selectFrom('credentials')
        .select(['id', 'last_used_at', 'recent_use'])
        .execute()
      const restore = async () => {
        for (const { id, ...time } of times)
          await acme.db.updateTable('credentials').set(time).where('id', '=', id).execute()
      }
      const confirmed = async (path: string, policy: object) => {
        const { json } = await preview(acme.adminToken, path, policy)
        await desk.admin('PUT', path, { ...policy, confirm: json['in_use'] })
      }
      await confirmed(present, round === ROUNDS - 1 ? NO_RULES : anyPolicy())
      const before = await listWorking()
      await restore()
      // The last round makes sure that there is something to stop.
      const policy = round === ROUNDS - 1 ? STOPS_ALL : anyPolicy()
      const told = await preview(acme.adminToken, proposed, policy, '?limit=200')
      const items = (told.json['items'] as { id: string; stops_at: string }[]).filter(({ id }) => ids.has(id))
      const toldNow = items.filter(({ stops_at }) => new Date(stops_at) <= NOW).map(({ id }) => id)
      await confirmed(proposed, policy)
      const after = await listWorking()
      const refused = before.filter((id) => !after.includes(id))
      expect([seed, round, toldNow.sort()]).toEqual([seed, round, refused.sort()])
      stopped += refused.length
    }
    expect([seed, stopped > 0]).toEqual([seed, true])
  })
})

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { readBlocks, runShell } from '../../support/document.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { addOrganization, backdate, countRevoked, seedFamily, seedPats } from './bulk-workbench.ts'

let databaseUrl = ''
let acme: Acme
beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  acme = await startAcme({ PATMINT_DATABASE_URL: databaseUrl })
})
afterAll(() => acme.stop())

const revoke = (path: string, body: unknown, token = acme.adminToken): Promise<Answer> =>
  callApi(acme.url, token, 'POST', path, body)
const exchangeStatus = async (pat: string): Promise<number> =>
  (await requestExchange(acme.url, { subject_token: pat })).status
const BATCH = /^with "selected" as .* update "credentials"/
const DAY = 86_400

const USER = '01900000-0000-7000-8000-000000000000'

/** Waits until `isTrue`, at most five seconds. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 5000
  while (!(await isTrue())) {
    if (Date.now() > giveUpAt) throw new Error('it does not come true')
    await sleep(20)
  }
}

/** Runs `task` while a transaction of somebody else holds the `n`th oldest credential of an organization. */
async function whileHeld<T>(slug: string, n: number, task: (release: () => Promise<unknown>) => Promise<T>) {
  return withClient(databaseUrl, async (client: Client) => {
    await client.query('begin')
    await client.query(
      `select c.id from credentials c where c.id = (
         select c.id from credentials c join organizations o on o.id = c.organization_id
         where o.slug = $1 order by c.created_at, c.id offset $2 limit 1) for no key update`,
      [slug, n - 1],
    )
    return task(() => client.query('commit'))
  })
}

/** Waits until so many transactions wait for somebody else's lock. */
const waiters = (count: number): Promise<void> =>
  until(async () => {
    const { rows } = await sql<{ waiting: number }>`
      select count(*)::int as waiting from pg_stat_activity
      where wait_event_type = 'Lock' and datname = current_database()`.execute(acme.db)
    return rows[0]?.waiting === count
  })

/** Revokes all of an organization, the first batch of which takes `milliseconds`. */
async function revokeTaking(
  slug: string,
  milliseconds: number,
  token = acme.adminToken,
): Promise<Record<string, unknown>> {
  const startedAt = Date.now()
  const oldestLive = ((await countRevoked(acme, slug))?.revoked ?? 0) + 2
  acme.setClock(() => new Date(startedAt))
  const answer = await whileHeld(slug, oldestLive, async (release) => {
    const revoking = revoke(`/organizations/${slug}/tokens/revoke`, { all: true }, token)
    await waiters(1)
    acme.setClock(() => new Date(startedAt + milliseconds))
    await release()
    return revoking
  })
  acme.setClock(() => new Date())
  return answer.json
}

describe('POST /organizations/{slug}/tokens/revoke', () => {
  it('revokes 3,500 credentials in four transactions, each with one record, and none of another organization', async () => {
    const { mia } = await addOrganization(acme, 'many', { mia: 'member' })
    const { ned } = await addOrganization(acme, 'neighbour', { ned: 'member' })
    await seedPats(acme, 3500, { slug: 'many', owner: mia })
    await seedPats(acme, 20, { slug: 'neighbour', owner: ned })
    acme.takeQueries()
    const before = Date.now()
    const answer = await revoke('/organizations/many/tokens/revoke', { all: true })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ revoked: 3500, complete: true, created_before: expect.any(String) })
    expect(new Date(String(answer.json['created_before'])).getTime()).toBeGreaterThanOrEqual(before)
    const batches = acme
      .takeQueries()
      .join('\n')
      .split(/^begin$/m)
      .filter((transaction) => transaction.split('\n').some((query) => BATCH.test(query)))
    expect(batches).toHaveLength(4)
    expect(batches.every((transaction) => transaction.includes('insert into audit_events'))).toBe(true)
    expect(await countRevoked(acme, 'many')).toEqual({
      live: 0,
      revoked: 3500,
      records: 3500,
      recorded: 3500,
    })
    expect(await countRevoked(acme, 'neighbour')).toEqual({ live: 20, revoked: 0, records: 0, recorded: 0 })
  })

  it('says in each record who did it, to whom, and why; the owner sees why', async () => {
    const { oda } = await addOrganization(acme, 'told', { oda: 'member', pia: 'admin' })
    const pat = await acme.issue('oda@told.test', { name: 'laptop' })
    const admin = await acme.issue('pia@told.test', { name: 'laptop' })
    await revoke('/organizations/told/tokens/revoke', { owner: oda }, admin)
    const me = await callApi(acme.url, admin, 'GET', '/me')
    const record = await acme.db
      .selectFrom('audit_events as e')
      .innerJoin('organizations as o', 'o.id', 'e.organization_id')
      .select(['e.actor', 'e.subject', 'e.reason', 'o.slug', 'e.ip'])
      .where('e.type', '=', 'credential.revoked')
      .where('e.credential_id', '=', pat.slice(4, 20))
      .execute()
    expect(record).toEqual([
      { actor: me.json['subject'], subject: oda, reason: 'bulk_revoked', slug: 'told', ip: '127.0.0.1' },
    ])
    const seen = await callApi(acme.url, admin, 'GET', `/organizations/told/tokens/${pat.slice(4, 20)}`)
    expect(seen.json).toMatchObject({ status: 'revoked', status_detail: 'bulk_revoked' })
  })

  it('goes on after an interruption: what is done stays done, and nothing is done or recorded twice', async () => {
    const { quin } = await addOrganization(acme, 'broken-off', { quin: 'member' })
    const [early, late] = [
      await acme.issue('quin@broken-off.test', { name: 'early' }),
      await acme.issue('quin@broken-off.test', { name: 'late' }),
    ]
    await seedPats(acme, 3500, { slug: 'broken-off', owner: quin })
    await backdate(acme, early, DAY)
    const path = '/organizations/broken-off/tokens/revoke'
    await whileHeld('broken-off', 1500, async (release) => {
      const abort = new AbortController()
      const request = fetch(`${acme.url}/api/v1${path}`, {
        method: 'POST',
        signal: abort.signal,
        headers: { Authorization: `Bearer ${acme.adminToken}`, 'Content-Type': 'application/json' },
        body: '{"all":true}',
      })
      await until(async () => (await countRevoked(acme, 'broken-off'))?.revoked === 1000)
      // Right after its batch, and before any other.
      expect([await exchangeStatus(early), await exchangeStatus(late)]).toEqual([400, 200])
      abort.abort()
      await expect(request).rejects.toThrow()
      await release()
    })
    await until(async () => (await countRevoked(acme, 'broken-off'))?.revoked === 2000)
    await sleep(200)
    expect(await countRevoked(acme, 'broken-off')).toMatchObject({ live: 1502, revoked: 2000, records: 2000 })
    expect((await revoke(path, { all: true })).json).toMatchObject({ revoked: 1502, complete: true })
    expect(await countRevoked(acme, 'broken-off')).toEqual({
      live: 0,
      revoked: 3502,
      records: 3502,
      recorded: 3502,
    })
    expect(await exchangeStatus(late)).toBe(400)
    expect((await revoke(path, { all: true })).json).toMatchObject({ revoked: 0, complete: true })
  })

  it('stops at the end of a batch when 50 seconds are over, and says that it is not through', async () => {
    const { rob } = await addOrganization(acme, 'slow', { rob: 'member' })
    await seedPats(acme, 3000, { slug: 'slow', owner: rob })
    expect(await revokeTaking('slow', 50_000)).toMatchObject({ revoked: 1000, complete: false })
    expect(await revokeTaking('slow', 49_999)).toMatchObject({ revoked: 2000, complete: true })
    expect(await countRevoked(acme, 'slow')).toMatchObject({ live: 0, records: 3000 })
  })

  it("takes the caller's own credential last, so that it can ask again until all is done", async () => {
    const { sue } = await addOrganization(acme, 'own', { sue: 'admin' })
    const own = await acme.issue('sue@own.test', { name: 'the oldest' })
    await backdate(acme, own, DAY)
    await seedPats(acme, 1500, { slug: 'own', owner: sue })
    expect(await revokeTaking('own', 50_000, own)).toMatchObject({ revoked: 1000, complete: false })
    const rest = await revoke('/organizations/own/tokens/revoke', { all: true }, own)
    expect(rest.json).toMatchObject({ revoked: 501, complete: true })
    expect((await callApi(acme.url, own, 'GET', '/me')).status).toBe(401)
    expect(await countRevoked(acme, 'own')).toEqual({ live: 0, revoked: 1501, records: 1501, recorded: 1501 })
  })

  it('takes the successor along when a credential rotates itself while its batch waits for it', async () => {
    await addOrganization(acme, 'quick', { tom: 'member' })
    const old = await acme.issue('tom@quick.test', { name: 'quick' })
    const [rotated, answer] = await whileHeld('quick', 1, async (release) => {
      const rotating = callApi(acme.url, old, 'POST', `/tokens/${old.slice(4, 20)}/rotate`, {})
      await waiters(1)
      const revoking = revoke('/organizations/quick/tokens/revoke', { all: true })
      await waiters(2)
      await release()
      return Promise.all([rotating, revoking])
    })
    expect(rotated.status).toBe(201)
    expect(answer.json).toMatchObject({ revoked: 2, complete: true })
    expect(await exchangeStatus(canary(String(rotated.json['token'])))).toBe(400)
    expect(await countRevoked(acme, 'quick')).toEqual({ live: 0, revoked: 2, records: 2, recorded: 2 })
  })

  it('spares what was created at the instant or later, also as the successor of what was not', async () => {
    const { uma } = await addOrganization(acme, 'since', { uma: 'member' })
    await seedPats(acme, 3, { slug: 'since', owner: uma, ageSeconds: 10 * DAY })
    const old = await acme.issue('uma@since.test', { name: 'old', expires_in_seconds: 7 * DAY })
    await backdate(acme, old, DAY)
    const path = `/tokens/${old.slice(4, 20)}`
    const rotated = await callApi(acme.url, old, 'POST', `${path}/rotate`, { overlap_seconds: 60 })
    const successor = canary(String(rotated.json['token']))
    const { json } = await callApi(acme.url, successor, 'GET', path)
    const createdAt = new Date(String(json['created_at'])).getTime()
    const revokeBefore = async (instant: string) =>
      (await revoke('/organizations/since/tokens/revoke', { created_before: instant })).json
    const sharp = new Date(createdAt).toISOString()
    expect(await revokeBefore(sharp)).toEqual({ revoked: 3, complete: true, created_before: sharp })
    expect([await exchangeStatus(old), await exchangeStatus(successor)]).toEqual([200, 200])
    const after = new Date(createdAt + 1).toISOString()
    const inAnotherZone = new Date(createdAt + 1 + 7_200_000).toISOString().replace('Z', '+02:00')
    expect(await revokeBefore(inAnotherZone)).toEqual({ revoked: 1, complete: true, created_before: after })
    expect([await exchangeStatus(old), await exchangeStatus(successor)]).toEqual([400, 200])
    const all = await revokeBefore('2999-01-01T00:00:00Z')
    expect(all).toMatchObject({ revoked: 1, complete: true })
    expect(new Date(String(all['created_before'])).getTime()).toBeLessThanOrEqual(Date.now())
  })

  it('takes a thousand at a time of a family that has rotated for years, too', async () => {
    const { una } = await addOrganization(acme, 'old-family', { una: 'member' })
    await seedFamily(acme, 5000, { slug: 'old-family', owner: una })
    const { json } = await revoke('/organizations/old-family/tokens/revoke', { all: true })
    expect(json).toMatchObject({ revoked: 5000, complete: true })
    const all = { live: 0, revoked: 5000, records: 5000, recorded: 5000 }
    expect(await countRevoked(acme, 'old-family')).toEqual(all)
    const { rows } = await sql<{ revoked: number }>`
      select count(*)::int as revoked from credentials where owner_id = ${una} group by xmin::text`.execute(
      acme.db,
    )
    expect(rows.map(({ revoked }) => revoked)).toEqual([1000, 1000, 1000, 1000, 1000])
  })

  it('goes with its owner, however often it has rotated', async () => {
    const { ute } = await addOrganization(acme, 'old-user', { ute: 'member' })
    await seedFamily(acme, 4500, { slug: 'old-user', owner: ute })
    const deleted = await callApi(acme.url, acme.adminToken, 'DELETE', `/users/${ute}`)
    expect([deleted.status, deleted.text]).toEqual([204, ''])
    const all = { live: 0, revoked: 4500, records: 4500, recorded: 4500 }
    expect(await countRevoked(acme, 'old-user')).toEqual(all)
  })

  it('shares the work with another one at the same time, and holds up no exchange', async () => {
    const { vic } = await addOrganization(acme, 'busy', { vic: 'member' })
    const pats = await Promise.all(
      Array.from({ length: 8 }, (_, n) => acme.issue('vic@busy.test', { name: `used ${n}` })),
    )
    await seedPats(acme, 2500, { slug: 'busy', owner: vic })
    let isDone = false
    const exchanging = pats.map(async (pat) => {
      const statuses = new Set<number>()
      while (!isDone) statuses.add(await exchangeStatus(pat))
      return statuses
    })
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => revoke('/organizations/busy/tokens/revoke', { all: true })),
    )
    isDone = true
    const statuses = (await Promise.all(exchanging)).flatMap((set) => [...set])
    expect(statuses.filter((status) => status !== 200 && status !== 400)).toEqual([])
    expect(answers.map(({ status, json }) => [status, json['complete']])).toEqual([
      [200, true],
      [200, true],
      [200, true],
    ])
    expect(answers.reduce((sum, { json }) => sum + Number(json['revoked']), 0)).toBe(2508)
    expect(await countRevoked(acme, 'busy')).toEqual({
      live: 0,
      revoked: 2508,
      records: 2508,
      recorded: 2508,
    })
  })

  it('asks to be sent again when it had to be undone to end a deadlock', async () => {
    const { ivo } = await addOrganization(acme, 'knot', { ivo: 'member' })
    await seedPats(acme, 2, { slug: 'knot', owner: ivo })
    const { rows } = await sql<{ id: string }>`
      select id from credentials where owner_id = ${ivo} order by created_at`.execute(acme.db)
    const [older, younger] = rows.map(({ id }) => id)
    const answer = await withClient(databaseUrl, async (client) => {
      const lock = (id: string | undefined) =>
        client.query('select from credentials where id = $1 for no key update', [id])
      await client.query('begin')
      await lock(younger)
      const revoking = revoke('/organizations/knot/tokens/revoke', { all: true })
      await waiters(1)
      // Postgres undoes whoever finds the circle: the one that has waited longer.
      await lock(older)
      await client.query('rollback')
      return revoking
    })
    expect([answer.status, answer.json['code']]).toEqual([503, 'temporarily_unavailable'])
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(readFileSync(acme.logPath, 'utf8')).toContain('"code":"40P01"')
    expect(await countRevoked(acme, 'knot')).toMatchObject({ live: 2, records: 0 })
    expect((await revoke('/organizations/knot/tokens/revoke', { all: true })).json['revoked']).toBe(2)
  })

  it("spares the caller's own credential when asked to, and no other", async () => {
    const { ann } = await addOrganization(acme, 'spared', { ann: 'admin' })
    const own = await acme.issue('ann@spared.test', { name: 'own' })
    const other = await acme.issue('ann@spared.test', { name: 'other' })
    await seedPats(acme, 1500, { slug: 'spared', owner: ann })
    const path = '/organizations/spared/tokens/revoke'
    const spared = await revoke(path, { all: true, spare_own: true }, own)
    expect(spared.json).toMatchObject({ revoked: 1501, complete: true })
    expect([await exchangeStatus(own), await exchangeStatus(other)]).toEqual([200, 400])
    expect((await callApi(acme.url, own, 'GET', '/me')).status).toBe(200)
    expect(await countRevoked(acme, 'spared')).toMatchObject({ live: 1, records: 1501 })
    expect((await revoke(path, { owner: ann, spare_own: false }, own)).json).toMatchObject({ revoked: 1 })
    expect((await callApi(acme.url, own, 'GET', '/me')).status).toBe(401)
  })

  it.each([
    {},
    { all: false },
    { all: 'true' },
    { all: true, owner: USER },
    { all: true, created_before: '2026-01-01T00:00:00Z' },
    { created_before: '2026-01-01' },
    { created_before: 'yesterday' },
    { owner: 'jane' },
    { all: true, reason: 'x' },
    { spare_own: true },
    { all: true, spare_own: 'true' },
    { all: true, revoked_at: '2026-01-01T00:00:00Z' },
    { role: 'admin' },
  ])('refuses %j and revokes nothing', async (body) => {
    const answer = await revoke('/organizations/acme/tokens/revoke', body)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    expect(await countRevoked(acme, 'acme')).toMatchObject({ revoked: 0 })
  })

  it("does not reach beyond the caller's organization, and needs the scope", async () => {
    const codes = async (slug: string, token: string) =>
      (await revoke(`/organizations/${slug}/tokens/revoke`, { all: true }, token)).json['code']
    expect(await codes('default', acme.adaPat)).toBe('not_found')
    expect(await codes('nowhere', acme.adminToken)).toBe('not_found')
    expect(await codes('acme', acme.janePat)).toBe('forbidden')
    expect((await callApi(acme.url, acme.adminToken, 'GET', '/tokens')).status).toBe(200)
    expect(await countRevoked(acme, 'acme')).toMatchObject({ revoked: 0 })
  })
})

describe('POST /users/{user_id}/tokens/revoke', () => {
  let wes = ''
  let here = ''
  let there = ''
  let admin = ''
  beforeAll(async () => {
    wes = (await addOrganization(acme, 'here', { wes: 'member', xia: 'admin' }))['wes'] ?? ''
    await addOrganization(acme, 'there', { yul: 'member' })
    await callApi(acme.url, acme.adminToken, 'POST', '/organizations/there/members', {
      user_id: wes,
      role: 'member',
    })
    admin = await acme.issue('xia@here.test', { name: 'laptop' })
    here = await acme.issue('wes@here.test', { name: 'here', organization: 'here' })
    there = await acme.issue('wes@here.test', { name: 'there', organization: 'there' })
  })
  const path = () => `/users/${wes}/tokens/revoke`

  it("revokes in the caller's own organization alone", async () => {
    expect((await revoke(path(), { all: true }, admin)).json).toMatchObject({ revoked: 1, complete: true })
    expect([await exchangeStatus(here), await exchangeStatus(there)]).toEqual([400, 200])
  })

  it('revokes in every organization for who may do that', async () => {
    const again = await acme.issue('wes@here.test', { name: 'again', organization: 'here' })
    expect((await revoke(path(), { all: true })).json).toMatchObject({ revoked: 2, complete: true })
    expect([await exchangeStatus(again), await exchangeStatus(there)]).toEqual([400, 400])
  })

  it('spares what was created at the instant or later', async () => {
    const kept = await acme.issue('wes@here.test', { name: 'kept', organization: 'here' })
    const yesterday = new Date(Date.now() - DAY * 1000).toISOString()
    expect((await revoke(path(), { created_before: yesterday })).json).toMatchObject({ revoked: 0 })
    expect(await exchangeStatus(kept)).toBe(200)
  })

  it('still finds a user who left the organization and left PATs behind, until none could be', async () => {
    const members = '/organizations/here/members'
    expect((await callApi(acme.url, admin, 'DELETE', `${members}/${wes}`)).status).toBe(204)
    expect((await revoke(path(), { all: true }, admin)).json).toMatchObject({ revoked: 1 })
  })

  it('answers 404 for a user who does not exist, or not here', async () => {
    const [jane] = await acme.db
      .selectFrom('users')
      .select('id')
      .where('email', '=', 'jane@acme.test')
      .execute()
    for (const [id, token] of [
      [USER, acme.adminToken],
      ['x', acme.adminToken],
      [jane?.id, admin],
      [USER, admin],
    ] as const) {
      const answer = await revoke(`/users/${id}/tokens/revoke`, { all: true }, token)
      expect([id, answer.status, answer.json['code']]).toEqual([id, 404, 'not_found'])
    }
    expect(await exchangeStatus(acme.janePat)).toBe(200)
  })

  it.each([{}, { all: true, created_before: '2026-01-01T00:00:00Z' }, { owner: USER }, { all: 1 }])(
    'refuses %j',
    async (body) => {
      const answer = await revoke(path(), body)
      expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    },
  )

  it('needs the scope', async () => {
    expect((await revoke(path(), { all: true }, acme.samPat)).status).toBe(403)
  })
})

describe('POST /platform/tokens/revoke', () => {
  it('takes platform-wide rights', async () => {
    for (const token of [acme.adaPat, acme.janePat]) {
      const answer = await revoke('/platform/tokens/revoke', { all: true }, token)
      expect([answer.status, answer.json['code']]).toEqual([403, 'forbidden'])
    }
    expect(await exchangeStatus(acme.janePat)).toBe(200)
  })

  it.each([{}, { owner: USER }, { all: true, created_before: '2026-01-01T00:00:00Z' }])(
    'refuses %j',
    async (body) => {
      const answer = await revoke('/platform/tokens/revoke', body)
      expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    },
  )

  it('revokes in every organization what is older', async () => {
    await seedPats(acme, 2, { slug: 'acme', owner: await ownerOf(acme.janePat), ageSeconds: 30 * DAY })
    await seedPats(acme, 3, { slug: 'neighbour', owner: await ownerOf(acme.samPat), ageSeconds: 30 * DAY })
    const instant = new Date(Date.now() - 20 * DAY * 1000).toISOString()
    const answer = await revoke('/platform/tokens/revoke', { created_before: instant })
    expect(answer.json).toEqual({ revoked: 5, complete: true, created_before: instant })
    expect(await exchangeStatus(acme.janePat)).toBe(200)
  })

  it("ends everything but the caller's own credential when that is to be spared", async () => {
    const doomed = await acme.issue('jane@acme.test', { name: 'doomed' })
    const yesterday = new Date(Date.now() - DAY * 1000).toISOString()
    const early = { created_before: yesterday, spare_own: true }
    expect((await revoke('/platform/tokens/revoke', early)).status).toBe(200)
    expect(await exchangeStatus(doomed)).toBe(200)
    expect((await revoke('/platform/tokens/revoke', { all: true, spare_own: true })).json).toMatchObject({
      complete: true,
    })
    expect(await exchangeStatus(doomed)).toBe(400)
    expect((await countLive()).rows).toEqual([{ live: 1 }])
    expect((await callApi(acme.url, acme.adminToken, 'GET', '/me')).status).toBe(200)
  })

  it("ends everything, the caller's own credential included", async () => {
    const last = await acme.issue('jane@acme.test', { name: 'last' })
    const { rows: before } = await countLive()
    expect(before[0]?.live).toBeGreaterThan(1)
    const answer = await revoke('/platform/tokens/revoke', { all: true })
    expect(answer.json).toMatchObject({ revoked: before[0]?.live, complete: true })
    expect((await countLive()).rows).toEqual([{ live: 0 }])
    expect(await exchangeStatus(last)).toBe(400)
    expect((await callApi(acme.url, acme.adminToken, 'GET', '/me')).status).toBe(401)
  })

  it('can be undone for one platform admin as docs/operations.md says, and for nobody else', async () => {
    const bringBack = async (pat: string) => {
      const statement = readBlock('sql', 'bulk_revoked').replace('0123456789abcdef', pat.slice(4, 20))
      return (await sql<{ id: string; email: string }>`${sql.raw(statement)}`.execute(acme.db)).rows
    }
    expect(await bringBack(acme.adaPat)).toEqual([])
    const id = acme.adminToken.slice(4, 20)
    expect(await bringBack(acme.adminToken)).toMatchObject([{ id, email: 'admin@localhost' }])
    expect((await countLive()).rows).toEqual([{ live: 1 }])
    const folder = newDataDir()
    writeFileSync(join(folder, 'admin-pat'), acme.adminToken)
    const rotate = readBlock('sh', '/rotate').replace('https://sts.example.com', acme.url)
    const rotated = await runShell(`cd ${folder}\n${rotate}`, {})
    const successor = canary((JSON.parse(rotated) as { token: string }).token)
    expect((await callApi(acme.url, acme.adminToken, 'GET', '/me')).status).toBe(401)
    expect((await callApi(acme.url, successor, 'GET', '/users')).status).toBe(200)
    expect(await bringBack(acme.adminToken)).toEqual([])
  })
})

const countLive = () =>
  sql<{ live: number }>`select count(*)::int as live from credentials where revoked_at is null`.execute(
    acme.db,
  )

async function ownerOf(pat: string): Promise<string> {
  const row = await acme.db
    .selectFrom('credentials')
    .select('owner_id')
    .where('id', '=', pat.slice(4, 20))
    .executeTakeFirstOrThrow()
  return row.owner_id ?? ''
}

/** The block of docs/operations.md in this language that has `part`. */
const readBlock = (language: string, part: string): string =>
  readBlocks('docs/operations.md', language).find((code) => code.includes(part)) ?? ''

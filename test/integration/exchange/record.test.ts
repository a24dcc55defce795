// A token and its record, and a change and its record: what becomes of one when the other fails.

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { createTestDatabase } from '../../support/test-database.ts'

const EMAIL = 'jane@acme.test'

let proxy: DatabaseProxy
let acme: Acme
/** Past the proxy. */
let database: pg.Client
beforeAll(async () => {
  const databaseUrl = await createTestDatabase()
  proxy = await startDatabaseProxy(databaseUrl)
  acme = await startAcme({
    PATMINT_DATABASE_URL: proxy.url,
    PATMINT_EXCHANGE_DEADLINE_SECONDS: '2',
    PATMINT_DATABASE_LOCK_SECONDS: '10',
    PATMINT_DATABASE_STATEMENT_SECONDS: '10',
  })
  database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  await database.query('update expiry_policies set max_active_tokens = 100')
  await database.query(`
    create function fail() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$`)
})
afterAll(async () => {
  await acme.stop()
  await database.end()
  proxy.close()
})

const exchange = (subject_token: string, userAgent = 'test'): Promise<Answer> =>
  requestExchange(acme.url, { subject_token }, { 'User-Agent': userAgent })
const issue = (name: string): Promise<string> => acme.issue(EMAIL, { name })
const idOf = (credential: string): string => credential.slice(4, 20)

/** Runs `work` while a statement of that kind fails, for rows that `condition` holds of. */
async function whileFailing(kind: string, condition: string, work: () => Promise<void>): Promise<void> {
  await database.query(
    `create trigger planted before ${kind} for each row when (${condition}) execute function fail()`,
  )
  try {
    await work()
  } finally {
    await database.query(`drop trigger planted on ${kind.split(' on ')[1]}`)
  }
}

async function count(query: string, ...values: unknown[]): Promise<number> {
  const { rows } = await database.query<{ count: number }>(`select count(*)::int from ${query}`, values)
  return rows[0]?.count ?? 0
}

const countRecords = (credential: string, type: string): Promise<number> =>
  count('audit_events where credential_id = $1 and type = $2', idOf(credential), type)

const SERVER_ERROR = { error: 'server_error', error_description: 'oops! something went wrong' }
const UNAVAILABLE = { error: 'temporarily_unavailable', error_description: 'try again later' }
const bodyOf = ({ status, json }: Answer) => [status, json]

describe('a token whose record', () => {
  it('cannot be written does not leave, and neither does a refusal', async () => {
    const pat = await issue('no record')
    await whileFailing('insert on audit_events', `new.type like 'exchange.%'`, async () => {
      expect(bodyOf(await exchange(pat))).toEqual([500, SERVER_ERROR])
      await database.query('update credentials set revoked_at = now() where id = $1', [idOf(pat)])
      expect(bodyOf(await exchange(pat))).toEqual([500, SERVER_ERROR])
      await database.query('update credentials set revoked_at = null where id = $1', [idOf(pat)])
    })
    expect(
      await count('audit_events where credential_id = $1 and type like $2', idOf(pat), 'exchange.%'),
    ).toBe(0)
    expect((await exchange(pat)).status).toBe(200)
  })

  it('cannot be written takes no other token of the same turn with it', async () => {
    const pat = await issue('one of many')
    await whileFailing('insert on audit_events', `new.user_agent = 'poison'`, async () => {
      const agents = ['poison', ...Array.from({ length: 15 }, (_, index) => `agent ${index}`), 'poison']
      const answers = await Promise.all(agents.map((agent) => exchange(pat, agent)))
      expect(answers.map(({ status }) => status)).toEqual([500, ...Array(15).fill(200), 500])
    })
    expect(await countRecords(pat, 'exchange.granted')).toBe(15)
  })

  it('cannot be written for the note of its use does not leave: both are written, or none', async () => {
    const pat = await issue('no use')
    await whileFailing('update of last_used_at on credentials', 'true', async () => {
      expect(bodyOf(await exchange(pat))).toEqual([500, SERVER_ERROR])
    })
    expect(await countRecords(pat, 'exchange.granted')).toBe(0)
    expect(await count('credentials where id = $1 and last_used_at is null', idOf(pat))).toBe(1)
    expect((await exchange(pat)).status).toBe(200)
    // What was noted less than a minute ago is not noted again, so nothing of that can fail.
    await whileFailing('update of last_used_at on credentials', 'true', async () => {
      expect((await exchange(pat)).status).toBe(200)
    })
  })

  it('was lost on its way does not leave', async () => {
    const pat = await issue('lost record')
    const cut = proxy.cutOnce('client', /append/)
    expect(bodyOf(await exchange(pat))).toEqual([503, UNAVAILABLE])
    await cut
    expect(await countRecords(pat, 'exchange.granted')).toBe(0)
    expect((await exchange(pat)).status).toBe(200)
  })

  it('is written, but nobody heard of it, does not leave', async () => {
    const pat = await issue('lost answer')
    const cut = proxy.cutOnce('server', /INSERT 0 1/)
    expect(bodyOf(await exchange(pat))).toEqual([503, UNAVAILABLE])
    await cut
    expect(await countRecords(pat, 'exchange.granted')).toBe(1)
    expect((await exchange(pat)).status).toBe(200)
  })

  it('was not begun by the deadline does not leave, and leaves no record of it', async () => {
    const pat = await issue('late record')
    await exchange(pat)
    await database.query('begin; lock table audit_events in exclusive mode')
    const first = exchange(pat)
    await waitForLock()
    // Behind the one that waits for the lock: their turn does not come in time.
    const others = Array.from({ length: 5 }, () => exchange(pat))
    const answers = await Promise.all([first, ...others])
    expect(answers.map(bodyOf)).toEqual(Array(6).fill([503, UNAVAILABLE]))
    await database.query('commit')
    expect((await exchange(pat)).status).toBe(200)
    // Before, after, and the one that was being written: a record without its token, never the reverse.
    expect(await countRecords(pat, 'exchange.granted')).toBe(3)
  })
})

async function waitForLock(): Promise<void> {
  const waiting = `pg_locks l join pg_database d on d.oid = l.database
    where d.datname = current_database() and not l.granted`
  while ((await count(waiting)) === 0);
}

describe('a change', () => {
  const name = 'half done'
  const create = (): Promise<Answer> =>
    callApi(acme.url, acme.adminToken, 'POST', `/users/${janeId}/tokens`, { name })
  let janeId: string
  beforeAll(async () => {
    const { rows } = await database.query<{ id: string }>('select id from users where email = $1', [EMAIL])
    janeId = rows[0]?.id ?? ''
  })
  const countCredentials = (): Promise<number> => count('credentials where name = $1', name)
  const countIssued = (): Promise<number> =>
    count('audit_events e join credentials c on c.id = e.credential_id where c.name = $1', name)
  const statusOf = ({ status, json }: Answer): unknown => [status, json['code']]

  it.each([
    ['insert on credentials', 'true'],
    ['insert on audit_events', `new.type = 'credential.issued'`],
  ])('of which one statement fails (%s) is undone', async (kind, condition) => {
    await whileFailing(kind, condition, async () => {
      expect(statusOf(await create())).toEqual([500, 'internal_error'])
    })
    expect([await countCredentials(), await countIssued()]).toEqual([0, 0])
  })

  it.each([
    ['insert on credentials', 'true'],
    ['insert on audit_events', `new.type like 'credential.%'`],
    ['update of overlap_until on credentials', 'true'],
  ])(
    'that is a rotation leaves the old value as it was when one statement fails (%s)',
    async (kind, condition) => {
      const pat = await issue(`rotated ${kind}`)
      await exchange(pat)
      const before = await count('credentials')
      await whileFailing(kind, condition, async () => {
        const answer = await callApi(acme.url, pat, 'POST', `/tokens/${idOf(pat)}/rotate`, {})
        expect(statusOf(answer)).toEqual([500, 'internal_error'])
      })
      expect(await count('credentials')).toBe(before)
      expect(await countRecords(pat, 'credential.rotated')).toBe(0)
      expect((await exchange(pat)).status).toBe(200)
    },
  )

  it('that is a revocation is none when its record fails', async () => {
    const pat = await issue('revoked')
    await whileFailing('insert on audit_events', `new.type = 'credential.revoked'`, async () => {
      const answer = await callApi(acme.url, pat, 'DELETE', `/tokens/${idOf(pat)}`)
      expect(statusOf(answer)).toEqual([500, 'internal_error'])
    })
    expect((await exchange(pat)).status).toBe(200)
  })

  it('whose end was lost on its way is undone', async () => {
    const cut = proxy.cutOnce('client', /commit/)
    expect(statusOf(await create())).toEqual([503, 'temporarily_unavailable'])
    await cut
    expect([await countCredentials(), await countIssued()]).toEqual([0, 0])
  })

  it('whose end nobody heard of is whole', async () => {
    const cut = proxy.cutOnce('server', /COMMIT/)
    expect(statusOf(await create())).toEqual([503, 'temporarily_unavailable'])
    await cut
    expect([await countCredentials(), await countIssued()]).toEqual([1, 1])
  })
})

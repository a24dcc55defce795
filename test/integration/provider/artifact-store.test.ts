import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { migrate } from '../../../src/server/db/migrator.ts'
import { createArtifactStore, purgeExpiredArtifacts } from '../../../src/server/provider/artifact-store.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { registerAssertionClient } from '../../support/assertion-client.ts'
import { requestExchange } from '../../support/requests.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { startTestServer } from '../../support/test-server.ts'

let databaseUrl: string
let acme: Acme
beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  acme = await startAcme({ PATMINT_DATABASE_URL: databaseUrl })
})
afterAll(() => acme.stop())

describe('a lifetime somebody else chose', () => {
  it.each([9e15, Number.MAX_VALUE, Number.POSITIVE_INFINITY])('of %d seconds is kept', async (seconds) => {
    const store = createArtifactStore(acme.db, 'ReplayDetection')
    const id = `lifetime ${seconds}`
    expect(await store.saveOnce(id, { kind: 'x' }, seconds)).toBe(true)
    expect(await store.saveOnce(id, { kind: 'x' }, seconds)).toBe(false)
    expect(await store.find('id', id)).toEqual({ kind: 'x' })
  })

  it('in an assertion, up to an hour, serves it once', async () => {
    const assert = await registerAssertionClient(acme)
    const longest = Math.floor(Date.now() / 1000) + 3590
    const form = { ...(await assert({ exp: longest })), subject_token: acme.janePat }
    expect((await requestExchange(acme.url, form)).status).toBe(200)
    expect((await requestExchange(acme.url, form)).status).toBe(401)
  })
})

describe('the purge', () => {
  const now = new Date()
  const addRows = (prefix: string, count: number, expiresAt: Date) =>
    sql`insert into oidc_artifacts (model, id, payload, expires_at)
      select 'Session', ${prefix} || n, '{}', ${expiresAt} from generate_series(1, ${sql.lit(count)}) n`.execute(
      acme.db,
    )
  const listIds = async (): Promise<string[]> => {
    const rows = await acme.db.selectFrom('oidc_artifacts').select('id').orderBy('id').execute()
    return rows.map(({ id }) => id)
  }
  beforeEach(async () => {
    await acme.db.deleteFrom('oidc_artifacts').execute()
    acme.takeQueries()
  })

  it('removes all that has expired, a batch at a time, and nothing else', async () => {
    await addRows('expired-', 2500, now)
    await addRows('valid-', 1, new Date(now.getTime() + 1))
    acme.takeQueries()
    await purgeExpiredArtifacts(acme.db, now)
    expect(acme.takeQueries()).toHaveLength(3)
    expect(await listIds()).toEqual(['valid-1'])
  })

  it('goes around a row that somebody else is working on', async () => {
    await addRows('expired-', 2, now)
    await withClient(databaseUrl, async (client) => {
      await client.query('begin')
      await client.query(`select from oidc_artifacts where id = 'expired-1' for update`)
      await purgeExpiredArtifacts(acme.db, now)
    })
    expect(await listIds()).toEqual(['expired-1'])
  })

  it('stops between batches when told to', async () => {
    await addRows('expired-', 2500, now)
    await purgeExpiredArtifacts(acme.db, now, AbortSignal.abort())
    expect(await listIds()).toHaveLength(2500)
  })

  it('is nothing a start waits for', async () => {
    const url = await createTestDatabase()
    await migrate(url)
    await withClient(url, async (client) => {
      await client.query('begin')
      await client.query('lock table oidc_artifacts')
      const server = await startTestServer({ PATMINT_DATABASE_URL: url })
      await client.query('rollback')
      await server.stop()
    })
  })
})

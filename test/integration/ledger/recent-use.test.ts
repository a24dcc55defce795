import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { appendWithUses } from '../../../src/server/ledger/store.ts'
import { createTestDatabase } from '../../support/test-database.ts'

const ID = '0123456789abcdef'
const OF = '0198c1f0-0000-7000-8000-000000000001'
const DAY_MS = 86_400_000
const START = new Date('2026-03-01T12:00:00Z')

let db: Database
beforeAll(async () => {
  const url = await createTestDatabase()
  await migrate(url)
  db = openDatabase({ url })
  await sql`insert into organizations (id, slug, name, created_at) values (${OF}, 'acme', 'Acme', now())`.execute(
    db,
  )
  await sql`insert into credentials (id, kind, organization_id, name, secret_hash, created_at)
    values (${ID}, 'organization', ${OF}, 'c', 'x', ${START})`.execute(db)
})
afterAll(() => db.destroy())

/** Uses it so long after the start; gives what is noted then. */
async function use(afterMs: number): Promise<number> {
  const usedAt = new Date(START.getTime() + afterMs)
  await appendWithUses(db, [], [{ credentialId: ID, lastUsedAt: null, usedAt, ip: '192.0.2.1' }])
  const { recent_use } = await db
    .selectFrom('credentials')
    .select('recent_use')
    .where('id', '=', ID)
    .executeTakeFirstOrThrow()
  return recent_use
}

describe('the use of a credential', () => {
  it('counts minutes, each half as much 30 days later, however long that is', async () => {
    expect(await use(0)).toBe(1)
    // Within the same minute it is the same use.
    expect(await use(30_000)).toBe(1)
    expect(await use(61_000)).toBeCloseTo(2, 3)
    expect(await use(61_000 + 30 * DAY_MS)).toBeCloseTo(2, 3)
    expect(await use(61_000 + 60 * DAY_MS)).toBeCloseTo(2, 3)
    expect(await use(61_000 + 90 * DAY_MS + 61_000)).toBeCloseTo(2, 3)
    expect(await use(200 * 365 * DAY_MS)).toBe(1)
  })
})

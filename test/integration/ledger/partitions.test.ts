// Months of `audit_events`, and what a long reader (a backup) may do to the records: nothing.

import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/server/db/database.ts'
import { openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { appendAuditEvents, ensureAuditPartitions } from '../../../src/server/ledger/store.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { requestExchange } from '../../support/requests.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { startTestServer } from '../../support/test-server.ts'

/** Runs `task` while a transaction holds what a backup holds: ACCESS SHARE on the table and every partition. */
const withReader = <T>(databaseUrl: string, task: () => Promise<T>): Promise<T> =>
  withClient(databaseUrl, async (client) => {
    await client.query('begin')
    await client.query('select count(*) from audit_events')
    return task()
  })

async function listPartitions(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select inhrelid::regclass::text as name from pg_inherits
    where inhparent = 'audit_events'::regclass order by name`.execute(db)
  return rows.map(({ name }) => name)
}

/** The partition each record lies in, of records of this instant. */
async function locate(db: Database, occurredAt: Date): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select tableoid::regclass::text as name from audit_events where occurred_at = ${occurredAt}`.execute(db)
  return rows.map(({ name }) => name)
}

const partitionOf = (instant: Date): string =>
  `audit_events_${instant.toISOString().slice(0, 7).replace('-', '_')}`

/** The first instant of a month, this many months from now. */
function turnOfMonth(months: number): Date {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1, 0, 0, 1))
}

describe('the turn of a month while somebody reads', () => {
  let databaseUrl: string
  let acme: Acme
  beforeAll(async () => {
    databaseUrl = await createTestDatabase()
    acme = await startAcme({ PATMINT_DATABASE_URL: databaseUrl })
  })
  afterAll(() => acme.stop())

  it.each([
    ['a month made ahead', 1, partitionOf(turnOfMonth(1))],
    ['a month nobody made', 5, 'audit_events_default'],
  ])('disturbs no exchange and loses no record: %s', async (_, months, partition) => {
    const now = turnOfMonth(months)
    acme.setClock(() => new Date(now.getTime() - 1))
    const pat = await acme.issue('jane@acme.test', { name: `turn ${months}` })
    acme.setClock(() => now)
    const answers = await withReader(databaseUrl, () =>
      Promise.all(Array.from({ length: 5 }, () => requestExchange(acme.url, { subject_token: pat }))),
    )
    acme.setClock(() => new Date())
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect(await locate(acme.db, now)).toEqual(Array(5).fill(partition))
  })
})

describe('a start while somebody reads', () => {
  it('succeeds, and the records land', async () => {
    const databaseUrl = await createTestDatabase()
    await migrate(databaseUrl)
    await withReader(databaseUrl, async () => {
      const server = await startTestServer({ PATMINT_DATABASE_URL: databaseUrl })
      const { status } = await requestExchange(server.url, { subject_token: server.adminToken })
      expect(status).toBe(200)
      expect(await listPartitions(server.db)).toEqual(['audit_events_default'])
      await server.stop()
    })
  })
})

describe('ensureAuditPartitions', () => {
  let db: Database
  beforeAll(async () => {
    const url = await createTestDatabase()
    await migrate(url)
    db = openDatabase({ url })
  })
  afterAll(() => db.destroy())

  it('makes the month and three ahead, over the end of a year, whoever else does', async () => {
    const now = new Date('2030-11-30T23:59:59.999Z')
    await Promise.all([ensureAuditPartitions(db, now), ensureAuditPartitions(db, now)])
    await ensureAuditPartitions(db, now)
    const months = ['2030_11', '2030_12', '2031_01', '2031_02'].map((month) => `audit_events_${month}`)
    expect(await listPartitions(db)).toEqual([...months, 'audit_events_default'])
  })

  it('takes the boundary instant into the month it begins', async () => {
    const last = new Date('2030-12-31T23:59:59.999Z')
    const first = new Date('2031-01-01T00:00:00.000Z')
    await appendAuditEvents(db, [
      { type: 'exchange.refused', occurredAt: last },
      { type: 'exchange.refused', occurredAt: first },
    ])
    expect(await locate(db, last)).toEqual(['audit_events_2030_12'])
    expect(await locate(db, first)).toEqual(['audit_events_2031_01'])
  })

  it('gives a partition what the table has: constraint, indexes, primary key', async () => {
    const { rows } = await sql<{ indexes: number; checks: number }>`
      select (select count(*)::int from pg_index where indrelid = 'audit_events_2030_11'::regclass) as indexes,
        (select count(*)::int from pg_constraint
          where conrelid = 'audit_events_2030_11'::regclass and contype = 'c') as checks`.execute(db)
    expect(rows).toEqual([{ indexes: 12, checks: 1 }])
  })

  it('leaves a month in the default partition that has begun there, and makes the others', async () => {
    await appendAuditEvents(db, [{ type: 'exchange.refused', occurredAt: new Date('2032-02-29T12:00:00Z') }])
    await ensureAuditPartitions(db, new Date('2032-01-15T00:00:00Z'))
    const made = (await listPartitions(db)).filter((name) => name.startsWith('audit_events_2032'))
    expect(made).toEqual(['audit_events_2032_01', 'audit_events_2032_03', 'audit_events_2032_04'])
  })
})

// How Postgres goes about the statements of an exchange, by the generic plans that prepared statements settle on: an index
// leads to every row, among twenty thousand credentials of as many owners.

import { type LogEvent, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { standingsPart } from '../../../src/server/credential/standing-store.ts'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { createTurnReader } from '../../../src/server/db/turn-reader.ts'
import { clientsPart } from '../../../src/server/directory/client-store.ts'
import { Ledger } from '../../../src/server/ledger/ledger.ts'
import { type ExplainRow, listReaders, type PlanNode } from '../../support/plans.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'

const HOW_MANY = 20_000
const PERMITTED = 5
const SCOPES = 20
const ORGANIZATION = '0198c1f0-0000-7000-9000-000000000001'
const idOf = (n: number): string => n.toString(16).padStart(16, '0')

const FILL = `
  insert into organizations values ('${ORGANIZATION}', 'acme', 'Acme', now());
  insert into roles values ('${ORGANIZATION}', '${ORGANIZATION}', 'member', 'organization', now());
  insert into users
    select lpad(to_hex(i), 32, '0')::uuid, i || '@acme.test', 'x', 'active', null, now() from generate_series(1, ${HOW_MANY}) i;
  insert into memberships select id, '${ORGANIZATION}', '${ORGANIZATION}', now() from users;
  insert into credentials (id, kind, organization_id, owner_id, name, secret_hash, created_at)
    select lpad(to_hex(i), 16, '0'), 'personal', '${ORGANIZATION}', lpad(to_hex(i), 32, '0')::uuid, 'c', 'x', now()
    from generate_series(1, ${HOW_MANY}) i;
  insert into resource_servers select lpad(to_hex(i), 32, '0')::uuid, 'https://' || i, 'x', 300, 'ES256', i = 1, now()
    from generate_series(1, 200) i;
  insert into resource_scopes select id, 'a:' || n, '' from resource_servers, generate_series(1, ${SCOPES}) n;
  insert into role_permissions select '${ORGANIZATION}', id, '{a:1}' from resource_servers limit ${PERMITTED};
  insert into clients select 'c' || i, 'x', 'none', null, null, '{}', null, false, now() from generate_series(1, 1000) i;
  analyze`

let url: string
let db: Database
const queries: LogEvent['query'][] = []
beforeAll(async () => {
  url = await createTestDatabase()
  await migrate(url)
  await withClient(url, (client) => client.query(FILL))
  db = openDatabase({ url, onQuery: ({ query }) => queries.push(query) })
})
afterAll(() => db.destroy())

/** The nodes that read, in the generic plan of the last statement that was run. */
async function explainLast(...options: readonly 'analyze'[]): Promise<PlanNode[]> {
  const last = queries.at(-1)
  return withClient(url, async (client) => {
    // Small tables are read whole where that is cheaper; what no index leads to is read whole even so.
    await client.query('set enable_seqscan = off; set plan_cache_mode = force_generic_plan')
    await client.query(`prepare statement as ${last?.sql}`)
    const values = last?.parameters.map((value) => client.escapeLiteral(toText(value))) ?? []
    const { rows } = await client.query<ExplainRow>(
      `explain (${['format json', ...options]}) execute statement(${values})`,
    )
    return listReaders(rows)
  })
}

const toText = (value: unknown): string =>
  Array.isArray(value)
    ? `{${value.map((one) => (one instanceof Date ? one.toISOString() : one))}}`
    : String(value)

/** Rows of a table that came out of it, whatever became of them. */
const countRead = (nodes: readonly PlanNode[], table: string): number =>
  nodes
    .filter((node) => node['Relation Name'] === table)
    .reduce((sum, node) => sum + (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 0), 0)

/** What a plan reads by no index. */
const listScanned = (nodes: readonly PlanNode[]) =>
  nodes.flatMap((node) => (node['Node Type'] === 'Seq Scan' ? node['Relation Name'] : []))
const listIndexes = (nodes: readonly PlanNode[]) => new Set(nodes.flatMap((node) => node['Index Name'] ?? []))

describe('the statements of an exchange', () => {
  it('find what decides it by indexes alone', async () => {
    const load = createTurnReader(db, { standing: standingsPart, client: clientsPart })
    await Promise.all([load.standing(idOf(7)), load.standing(idOf(9)), load.client('c5')])
    const nodes = await explainLast('analyze')
    expect(listScanned(nodes)).toEqual([])
    expect(countRead(nodes, 'credentials')).toBe(2)
    expect(countRead(nodes, 'users')).toBe(2)
    expect(countRead(nodes, 'memberships')).toBe(2)
    expect(countRead(nodes, 'clients')).toBe(1)
    // What both share is read once.
    expect(countRead(nodes, 'organizations')).toBe(1)
    expect(countRead(nodes, 'roles')).toBe(1)
    expect(countRead(nodes, 'resource_scopes')).toBe(PERMITTED * SCOPES)
  })

  it('are planned once per connection, however few ids they list', async () => {
    const exchangeDb = openDatabase({ url, maxConnections: 1, keepsPlans: true })
    try {
      const load = createTurnReader(exchangeDb, { standing: standingsPart, client: clientsPart })
      for (const id of [7, 8, 9]) await load.standing(idOf(id))
      const plans = sql`select generic_plans, custom_plans from pg_prepared_statements`
      expect((await plans.execute(exchangeDb)).rows).toEqual([{ generic_plans: 3, custom_plans: 0 }])
    } finally {
      await exchangeDb.destroy()
    }
  })

  it('write its record and note the use by the id of the credential', async () => {
    const now = new Date()
    const use = { credentialId: idOf(7), lastUsedAt: null, usedAt: now, ip: '192.0.2.1' }
    await new Ledger(db).record({ type: 'exchange.granted', occurredAt: now, credentialId: idOf(7) }, use)
    const nodes = await explainLast()
    expect(listScanned(nodes)).toEqual([])
    expect(listIndexes(nodes)).toEqual(new Set(['credentials_pkey']))
  })
})

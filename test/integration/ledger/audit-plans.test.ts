// How Postgres finds a page of the audit trail among tens of thousands of records: by an index, whatever is asked for.

import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidV7 } from '../../../src/protocol/uuid.ts'
import {
  type AuditFilter,
  listAuditEvents,
  selectAuditEvents,
} from '../../../src/server/ledger/read-store.ts'
import { ensureAuditPartitions } from '../../../src/server/ledger/store.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const RECORDS = 30_000
const HOUR_MS = 3_600_000
const BIG = 1000

let server: TestServer
const now = new Date()
const monthsAgo = (months: number): Date =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 15))

beforeAll(async () => {
  server = await startTestServer()
  // Three months of their own; what is older lies in the default partition.
  for (const months of [1, 2]) await ensureAuditPartitions(server.db, monthsAgo(months))
  await sql`
    insert into audit_events (id, occurred_at, type, organization_id, subject, credential_id, client_id, actor, target)
    select gen_random_uuid(), ${now}::timestamptz - n * interval '5 minutes',
      case when n % 1000 = 0 then 'exchange.refused' when n % 500 = 7 then 'user.created' else 'exchange.granted' end,
      ('00000000-0000-7000-8000-0000000000' || lpad((n % 50)::text, 2, '0'))::uuid, 'subject-' || n % 2000,
      'credential-' || n % 3000, case when n % 700 = 0 then 'rare' else 'patmint-cli' end,
      case when n % 100 = 1 then 'actor-' || n % 7 end, case when n % 100 = 2 then 'user:' || n % 700 end
    from generate_series(1, ${RECORDS}) n`.execute(server.db)
  await sql`analyze audit_events`.execute(server.db)
})
afterAll(() => server.stop())

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly Plans?: readonly PlanNode[]
}

const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)]

/** The nodes that read records, and those that read all of a partition that has many. */
async function plan(filter: AuditFilter) {
  const position = { createdAt: new Date(now.getTime() - HOUR_MS), id: uuidV7(now) }
  const [row] = await selectAuditEvents(server.db, filter, 51, position).explain('json')
  const [{ Plan: root }] = (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN']
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit_events'::regclass and c.reltuples > ${BIG}`.execute(server.db)
  const big = new Set(rows.map(({ name }) => name))
  expect(big.size).toBeGreaterThanOrEqual(3)
  const readers = flatten(root).filter((node) => big.has(node['Relation Name'] ?? ''))
  return { readers, scans: readers.filter((node) => node['Node Type'] === 'Seq Scan') }
}

describe('a page of the audit trail', () => {
  const ORGANIZATION = '00000000-0000-7000-8000-000000000007'
  const WEEK: AuditFilter = { since: monthsAgo(2), until: new Date(monthsAgo(2).getTime() + 168 * HOUR_MS) }

  it.each<[string, AuditFilter]>([
    ['everything, newest first', {}],
    ['an organization', { organizationId: ORGANIZATION }],
    ['a week of an organization', { organizationId: ORGANIZATION, ...WEEK }],
    ['a credential', { credentialId: 'credential-77' }],
    ['a subject', { subject: 'subject-77' }],
    ['an actor', { actor: 'actor-1' }],
    ['a target', { target: 'user:2' }],
    ['a client that is rarely seen', { clientId: 'rare' }],
    ['a type that is rarely seen', { type: 'user.created' }],
    ['a type never seen', { type: 'organization.deleted' }],
    ['failures', { outcome: 'failure' }],
    ['failures of an organization', { outcome: 'failure', organizationId: ORGANIZATION }],
    ['a request', { requestId: uuidV7(monthsAgo(1)) }],
  ])('of %s is found by an index', async (_, filter) => {
    const { readers, scans } = await plan(filter)
    expect(readers.length).toBeGreaterThan(0)
    expect(scans).toEqual([])
  })

  it('of a week leaves the other months alone', async () => {
    const { readers } = await plan({ credentialId: 'credential-77', ...WEEK })
    expect(new Set(readers.map((node) => node['Relation Name'])).size).toBe(1)
  })

  it('is the same page that reading everything gives', async () => {
    const all = await listAuditEvents(server.db, {}, RECORDS + 100, null)
    expect(all.length).toBeGreaterThanOrEqual(RECORDS)
    const expected = all.filter(({ subject }) => subject === 'subject-77')
    expect(expected.length).toBe(RECORDS / 2000)
    expect(await listAuditEvents(server.db, { subject: 'subject-77' }, 200, null)).toEqual(expected)
    const third = expected[2]
    const position = { createdAt: third?.occurredAt ?? now, id: third?.id ?? '' }
    expect(await listAuditEvents(server.db, { subject: 'subject-77' }, 4, position)).toEqual(
      expected.slice(3, 7),
    )
  })
})

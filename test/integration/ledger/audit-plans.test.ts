// How Postgres finds a page of the audit trail among tens of thousands of records: by an index that holds what is asked
// for in order, however rare and old that is, and whatever lies before it.

import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uuidV7 } from '../../../src/protocol/uuid.ts'
import type { AuditFilter } from '../../../src/server/ledger/filter-store.ts'
import { listAuditEvents, selectAuditEvents } from '../../../src/server/ledger/read-store.ts'
import { ensureAuditPartitions } from '../../../src/server/ledger/store.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const HOUR_MS = 3_600_000
const PAGE = 51
/** What somebody's records of each kind are, when they are many: each read past would be noticed. */
const MANY = 8_000
/** And when they are rare: they are the oldest of all. */
const FEW = 4

let server: TestServer
const now = new Date()
const monthsAgo = (months: number): Date =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 15))

const idOf = (n: number): string => `00000000-0000-7000-8000-00000000000${n}`
/** Whose records are nearly all grants, nearly all refusals, and of every kind. */
const BUSY = { organizationId: idOf(1), subject: 'busy', credentialId: 'busy', clientId: 'busy' }
const FAILING = { organizationId: idOf(2), subject: 'failing', credentialId: 'failing', clientId: 'failing' }
const OTHER = { organizationId: idOf(3), subject: 'other', credentialId: 'other', clientId: 'other' }

interface Planted {
  readonly type: string
  readonly of?: typeof BUSY
  readonly actor?: string
  readonly target?: string
}

/** `count` records, evenly over the last 85 days or, when they are old, over the five before. */
async function plant(count: number, age: 'new' | 'old', { type, of = OTHER, actor, target }: Planted) {
  const [newest, days] = age === 'new' ? [0, 85] : [86, 5]
  await sql`
    insert into audit_events (id, occurred_at, type, organization_id, subject, credential_id, client_id, actor, target)
    select gen_random_uuid(), ${now}::timestamptz - (${newest}::int + ${days}::int * n::float8 / ${count}::int) * interval '1 day',
      ${type}, ${of.organizationId}::uuid, ${of.subject}, ${of.credentialId}, ${of.clientId},
      ${actor ?? null}::text, ${target ?? null}::text
    from generate_series(1, ${count}::int) n`.execute(server.db)
}

beforeAll(async () => {
  server = await startTestServer({
    // Reading everything is what no request does.
    PATMINT_DATABASE_STATEMENT_SECONDS: '60',
  })
  for (const months of [1, 2, 3]) await ensureAuditPartitions(server.db, monthsAgo(months))
  await plant(MANY, 'new', { type: 'exchange.granted', of: BUSY })
  await plant(MANY, 'new', { type: 'exchange.refused', of: FAILING })
  for (const type of ['exchange.granted', 'exchange.refused', 'credential.issued', 'role.updated'])
    await plant(MANY, 'new', { type, actor: 'many', target: 'user:many' })
  for (const type of ['exchange.refused', 'credential.reuse_detected', 'credential.issued', 'role.updated'])
    await plant(FEW, 'old', { type, of: BUSY })
  for (const type of ['exchange.granted', 'api.refused', 'role.updated'])
    await plant(FEW, 'old', { type, of: FAILING })
  await plant(FEW, 'old', { type: 'user.created', actor: 'rare', target: 'user:rare' })
  await sql`analyze audit_events`.execute(server.db)
}, 120_000)
afterAll(() => server.stop())

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly PlanNode[]
}

const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)]
const total = (nodes: readonly PlanNode[], count: (node: PlanNode) => number): number =>
  nodes.reduce((sum, node) => sum + count(node) * node['Actual Loops'], 0)

/** What the newest page costs when it is read: the scans of records, and how many they gave and threw away. */
async function measure(filter: AuditFilter) {
  const [row] = await selectAuditEvents(server.db, filter, PAGE, null).explain('json', sql`analyze`)
  const [{ Plan: root }] = (row as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN']
  const scans = flatten(root).filter((node) => node['Relation Name']?.startsWith('audit_events'))
  return {
    relations: new Set(scans.filter((scan) => scan['Actual Rows'] > 0).map((scan) => scan['Relation Name'])),
    found: root['Actual Rows'],
    read: total(scans, (scan) => scan['Actual Rows']),
    removed: total(
      scans,
      (scan) => (scan['Rows Removed by Filter'] ?? 0) + (scan['Rows Removed by Index Recheck'] ?? 0),
    ),
  }
}

describe('a page of the audit trail', () => {
  const org = (of: typeof BUSY) => ({ organizationId: of.organizationId })
  const cred = (of: typeof BUSY) => ({ credentialId: of.credentialId })
  const who = (of: typeof BUSY) => ({ subject: of.subject })
  const client = (of: typeof BUSY) => ({ clientId: of.clientId })
  const LONG_AGO: AuditFilter = { until: new Date(now.getTime() - 85.5 * 24 * HOUR_MS) }
  const RECENTLY: AuditFilter = { since: new Date(now.getTime() - 24 * HOUR_MS) }

  it.each<[string, AuditFilter, number]>([
    ['everything', {}, PAGE],
    ['an organization', org(BUSY), PAGE],
    ['an organization that fails', org(FAILING), PAGE],
    ['a credential', cred(BUSY), PAGE],
    ['a subject', who(BUSY), PAGE],
    ['a client', client(FAILING), PAGE],
    ['an actor', { actor: 'rare' }, FEW],
    ['a target', { target: 'user:rare' }, FEW],
    ['a type', { type: 'user.created' }, FEW],
    ['a type never seen', { type: 'organization.deleted' }, 0],
    ['a type often seen', { type: 'role.updated' }, PAGE],
    ['failures', { outcome: 'failure' }, PAGE],
    ['failures long ago', { outcome: 'failure', ...LONG_AGO }, 3 * FEW],
    ['successes', { outcome: 'success' }, PAGE],
    ['a request', { requestId: uuidV7(monthsAgo(1)) }, 0],
    ['a type of an organization', { ...org(BUSY), type: 'role.updated' }, FEW],
    ['a failure of an organization', { ...org(BUSY), type: 'exchange.refused' }, FEW],
    ['grants of an organization that fails', { ...org(FAILING), type: 'exchange.granted' }, FEW],
    ['another failure of an organization that fails', { ...org(FAILING), type: 'api.refused' }, FEW],
    ['failures of an organization', { ...org(BUSY), outcome: 'failure' }, 2 * FEW],
    ['successes of an organization that fails', { ...org(FAILING), outcome: 'success' }, 2 * FEW],
    ['an actor of an organization', { ...org(OTHER), actor: 'rare' }, FEW],
    ['a target of an organization', { ...org(OTHER), target: 'user:rare' }, FEW],
    ['a type of a credential', { ...cred(BUSY), type: 'credential.issued' }, FEW],
    ['failures of a credential', { ...cred(BUSY), outcome: 'failure' }, 2 * FEW],
    ['the same of an organization', { ...org(BUSY), ...cred(BUSY), outcome: 'failure' }, 2 * FEW],
    ['successes of a credential that fails', { ...cred(FAILING), outcome: 'success' }, 2 * FEW],
    ['failures of a subject', { ...who(BUSY), outcome: 'failure' }, 2 * FEW],
    ['a type of a subject', { ...who(FAILING), type: 'role.updated' }, FEW],
    ['a subject from an instant on', { ...who(BUSY), ...RECENTLY }, PAGE],
    ['a subject until an instant', { ...who(BUSY), ...LONG_AGO }, 4 * FEW],
    ['failures of a client', { ...client(BUSY), outcome: 'failure' }, 2 * FEW],
    ['successes of a client that fails', { ...client(FAILING), outcome: 'success' }, 2 * FEW],
  ])('of %s reads little else', async (_, filter, found) => {
    const cost = await measure(filter)
    expect(cost.found).toBe(found)
    // A month that has only begun is as cheap to read through.
    expect(cost.removed).toBeLessThanOrEqual(MANY / 10)
    // Each part of what is asked for gives a page of its own, and each month the first of its records.
    expect(cost.read).toBeLessThanOrEqual(6 * PAGE)
  })

  it('of a week leaves the other months alone', async () => {
    const since = new Date(monthsAgo(1).getTime())
    const { relations } = await measure({
      ...cred(BUSY),
      since,
      until: new Date(since.getTime() + 168 * HOUR_MS),
    })
    expect(relations.size).toBe(1)
  })

  it.each<[string, AuditFilter]>([
    ['a subject', who(BUSY)],
    ['an organization and an outcome', { ...org(FAILING), outcome: 'success' }],
    ['a credential and failures', { ...cred(BUSY), outcome: 'failure' }],
    ['a type and the outcome it cannot have', { type: 'role.updated', outcome: 'failure' }],
    ['an actor and a time', { actor: 'many', ...RECENTLY }],
  ])('of %s is the same page that reading everything gives', async (_, filter) => {
    const all = await listAuditEvents(server.db, {}, 10 * MANY, null)
    const wanted = { ...filter, since: undefined, until: undefined }
    const expected = all
      .filter((record) =>
        Object.entries(wanted).every(([name, value]) => {
          if (value === undefined) return true
          return name === 'organizationId'
            ? record.credentialId === { [idOf(1)]: 'busy', [idOf(2)]: 'failing' }[value]
            : record[name as 'subject'] === value
        }),
      )
      .filter(({ occurredAt }) => !filter.since || occurredAt >= filter.since)
    const pages: typeof all = []
    for (;;) {
      const last = pages.at(-1)
      const position = last ? { createdAt: last.occurredAt, id: last.id } : null
      const page = await listAuditEvents(server.db, filter, 999, position)
      pages.push(...page)
      if (page.length < 999) break
    }
    expect(pages).toEqual(expected)
  })
})

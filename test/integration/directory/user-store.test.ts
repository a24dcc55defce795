import type { LogEvent } from 'kysely'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { listUsers, type UserFilter } from '../../../src/server/directory/user-store.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'

const HOW_MANY = 5000
const ORGANIZATION = '0198c1f0-0000-7000-9000-000000000001'
const userId = (index: number): string => `0198c1f0-0000-7000-8000-${index.toString(16).padStart(12, '0')}`

const FILL = `
  insert into organizations values ('${ORGANIZATION}', 'acme', 'Acme', now());
  insert into roles values ('${ORGANIZATION}', null, 'member', 'organization', now());
  insert into users
    select ('0198c1f0-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, i || '@acme.test', 'x', 'active', null, now()
    from generate_series(1, ${HOW_MANY}) i;
  insert into memberships select id, '${ORGANIZATION}', '${ORGANIZATION}', now() from users;
  analyze`

describe('a page of users', () => {
  it.each<[string, Partial<UserFilter>]>([
    ['the first of all', {}],
    ['a later one', { after: { id: userId(3000) } }],
    ['the first of an organization', { organizationId: ORGANIZATION }],
    ['a later one of an organization', { organizationId: ORGANIZATION, after: { id: userId(3000) } }],
  ])('is a range of an index, neither a scan nor a sort of all: %s', async (_, filter) => {
    const url = await createTestDatabase()
    await migrate(url)
    await withClient(url, (client) => client.query(FILL))
    const queries: LogEvent['query'][] = []
    const db = openDatabase({ url, onQuery: ({ query }) => queries.push(query) })
    const users = await listUsers(db, { organizationId: null, email: null, after: null, limit: 3, ...filter })
    await db.destroy()
    const start = filter.after ? 3000 : 0
    expect(users.map(({ id }) => id)).toEqual([1, 2, 3].map((index) => userId(start + index)))
    const [query] = queries
    const plan = await withClient(url, async (client) => {
      const { rows } = await client.query<Record<'QUERY PLAN', string>>(`explain ${query?.sql}`, [
        ...(query?.parameters ?? []),
      ])
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    })
    expect(plan).toContain('users_pkey')
    expect(plan).not.toMatch(/Sort|Seq Scan|Hash/)
  })
})

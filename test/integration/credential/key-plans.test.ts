// How Postgres finds an organization's API keys among twenty thousand PATs: by an index of keys alone.

import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selectLive } from '../../../src/server/credential/holder-store.ts'
import { selectCredentialIds } from '../../../src/server/credential/list-store.ts'
import { type ExplainRow, listReaders } from '../../support/plans.ts'
import { startTestServer, type TestServer } from '../../support/test-server.ts'

const PATS = 20_000
const KEYS = 40
const now = new Date()
const SEED_TIMEOUT_MS = 60_000

let server: TestServer
let organizationId: string
beforeAll(async () => {
  server = await startTestServer()
  const admin = await server.db
    .selectFrom('credentials')
    .select(['owner_id', 'organization_id'])
    .executeTakeFirstOrThrow()
  organizationId = admin.organization_id
  await sql`
    insert into credentials (id, kind, organization_id, owner_id, name, secret_hash, created_at)
    select lpad(to_hex(n), 16, '0'), case when n % ${PATS / KEYS} = 0 then 'organization' else 'personal' end,
      ${organizationId}, case when n % ${PATS / KEYS} = 0 then null else ${admin.owner_id}::uuid end, 'c' || n, 'x',
      ${now}::timestamptz - n * interval '1 second'
    from generate_series(1, ${PATS}) n`.execute(server.db)
  await sql`analyze credentials`.execute(server.db)
}, SEED_TIMEOUT_MS)
afterAll(() => server.stop())

/** The indexes by which a query reads credentials, or how else it does. */
async function readersOf(query: { explain: (format: 'json') => Promise<unknown[]> }): Promise<string[]> {
  return listReaders((await query.explain('json')) as ExplainRow[])
    .map((node) => node['Index Name'] ?? node['Node Type'])
    .filter((name) => name !== 'Bitmap Heap Scan')
}

describe('the API keys of an organization', () => {
  const position = { createdAt: new Date(now.getTime() - 86_400_000), id: '0123456789abcdef' }

  it.each([null, position])('are listed by an index of theirs, after %j', async (cursor) => {
    const query = selectCredentialIds(server.db, { organizationId, kind: 'organization' }, 51, cursor)
    expect(await readersOf(query)).toEqual(['credentials_keys_idx'])
  })

  it('that are alive are counted by it', async () => {
    const query = selectLive(server.db, { keysOf: organizationId }, now)
    expect(await readersOf(query)).toEqual(['credentials_keys_idx'])
    expect(await query.execute()).toHaveLength(KEYS)
  })

  it('would be found by nothing of the kind where all credentials are asked for', async () => {
    const query = selectCredentialIds(server.db, { organizationId }, 51, null)
    expect(await readersOf(query)).toEqual(['credentials_organization_idx'])
  })
})

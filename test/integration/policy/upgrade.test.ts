import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { savePolicy } from '../../../src/server/policy/store.ts'
import { listVersions } from '../../../src/server/policy/version-store.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { buildPolicy, DAY, NOW } from '../../unit/server/policy/policy-fixture.ts'

let url: string
let db: Database
beforeAll(async () => {
  url = await createTestDatabase()
  await migrate(url)
  db = openDatabase({ url })
})
afterAll(() => db.destroy())

it('what policies say at the upgrade is the first version of their history', async () => {
  const policy = buildPolicy({ maxLifetimeSeconds: 90 * DAY, exemptRoles: ['admin'], appliesSince: NOW })
  await savePolicy(db, null, policy)
  const upgrade = await readFile('migrations/0020_expiry_policy_versions.sql', 'utf8')
  await withClient(url, (client) =>
    client.query(`drop table expiry_policy_versions; drop function keep_history; ${upgrade}`),
  )
  expect(await listVersions(db, null, 10, null)).toEqual([
    { number: 1, policy, madeAt: NOW, madeBy: null, stopped: null, stoppedInUse: null },
  ])
})

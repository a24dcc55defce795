// The list and the exchange are of one mind: what SQL finds for a list is what `findProblem` says of each credential.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENTRIES_PER_LIST } from '../../../src/protocol/status-list.ts'
import { findProblem, type Standing } from '../../../src/server/credential/standing.ts'
import { findStandings } from '../../../src/server/credential/standing-store.ts'
import { statusOf } from '../../../src/server/credential/status.ts'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { countStatusLists, findStopped } from '../../../src/server/status/store.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { NOW } from '../../unit/server/policy/policy-fixture.ts'
import { anyPopulation, credentialId, organizationId, settle } from './population.ts'

let url: string
let db: Database
beforeAll(async () => {
  url = await createTestDatabase()
  await migrate(url)
  db = openDatabase({ url })
})
afterAll(() => db.destroy())

/** What owners are told, as a list words it: what may come back is suspended. */
const LISTED = {
  active: 'valid',
  revoked: 'invalid',
  expired: 'invalid',
  suspended: 'suspended',
  blocked_by_policy: 'suspended',
} as const

describe('the stopped credentials of a list', () => {
  it('are those an exchange would refuse, each for good or for now', async () => {
    const reasons = new Set<string>()
    await withClient(url, (client) =>
      fc.assert(
        fc.asyncProperty(anyPopulation, async (population) => {
          await settle(client, population)
          const stopped = await findStopped(db, 0, NOW)
          const [invalid, suspended] = [new Set(stopped.invalid), new Set(stopped.suspended)]
          const listed = ({ credential: { statusIndex } }: Standing) =>
            invalid.has(statusIndex) ? 'invalid' : suspended.has(statusIndex) ? 'suspended' : 'valid'
          const standings = await findStandings(
            db,
            population.credentials.map((_, n) => credentialId(n)),
          )
          expect(standings).toHaveLength(population.credentials.length)
          for (const standing of standings) {
            const reason = findProblem(standing, NOW)?.reason ?? 'none'
            expect([reason, listed(standing)]).toEqual([reason, LISTED[statusOf(standing, NOW)]])
            reasons.add(reason)
          }
        }),
        { numRuns: 40 },
      ),
    )
    // None of the causes was left out by chance.
    expect([...reasons].sort()).toEqual([
      'blocked_by_policy',
      'credential_expired',
      'credential_revoked',
      'credential_superseded',
      'membership_missing',
      'none',
      'organization_deleted',
      'owner_deleted',
      'owner_suspended',
      'role_missing',
    ])
  })

  it('are counted from the beginning of their list', async () => {
    await withClient(url, async (client) => {
      await client.query('truncate organizations, users, expiry_policies cascade')
      await client.query(`insert into organizations values ('${organizationId(0)}', 'acme', 'Acme', now())`)
      const last = 2 * ENTRIES_PER_LIST - 1
      await client.query(`alter sequence credentials_status_index_seq restart with ${last}`)
      // None of the three has a role; two are revoked.
      await client.query(
        `insert into credentials (id, kind, organization_id, name, secret_hash, created_at, revoked_at)
         select lpad(n::text, 16, '0'), 'organization', '${organizationId(0)}', 'c', 'x', now(), case when n < 3 then now() end
         from generate_series(1, 3) n order by n`,
      )
    })
    expect(await countStatusLists(db)).toBe(3)
    expect(await findStopped(db, 0, NOW)).toEqual({ invalid: [], suspended: [] })
    expect(await findStopped(db, 1, NOW)).toEqual({ invalid: [ENTRIES_PER_LIST - 1], suspended: [] })
    expect(await findStopped(db, 2, NOW)).toEqual({ invalid: [0], suspended: [1] })
  })

  it('are found whatever number a policy has', async () => {
    await withClient(url, (client) =>
      client.query(
        `insert into expiry_policies (max_lifetime_seconds, idle_timeout_seconds, max_active_tokens, applies_to, exempt_roles,
           applies_since) values (9007199254740991, 9007199254740991, 10, 'all', '{}', now())`,
      ),
    )
    expect(await findStopped(db, 2, NOW)).toEqual({ invalid: [0], suspended: [1] })
  })
})

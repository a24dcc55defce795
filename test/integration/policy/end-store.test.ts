// SQL and the exchange are of one mind: when a credential ends and why is what `findProblem` and `expiryOf` say of it.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expiryOf, findProblem, type Standing } from '../../../src/server/credential/standing.ts'
import { findStandings } from '../../../src/server/credential/standing-store.ts'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { selectEnds } from '../../../src/server/policy/end-store.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { DAY, from, NOW } from '../../unit/server/policy/policy-fixture.ts'
import { anyPopulation, credentialId, settle } from '../status/population.ts'

let url: string
let db: Database
beforeAll(async () => {
  url = await createTestDatabase()
  await migrate(url)
  db = openDatabase({ url })
})
afterAll(() => db.destroy())

const UNTIL = from(NOW, 300 * DAY)

interface ExpectedEnd {
  readonly id: string
  readonly organization_id: string
  readonly owner_id: string | null
  readonly ends_at: Date
  readonly cause: string
  readonly level: string | null
}

function expectedEnd(standing: Standing): ExpectedEnd[] {
  const { credential, organization, owner } = standing
  const expiry = expiryOf(standing)
  if (findProblem(standing, NOW) || !expiry || expiry.at > UNTIL) return []
  return [
    {
      id: credential.id,
      organization_id: organization.id,
      owner_id: owner?.id ?? null,
      ends_at: expiry.at,
      cause: expiry.cause,
      level: 'level' in expiry ? expiry.level : null,
    },
  ]
}

describe('the ends of credentials', () => {
  it('are those an exchange would tell, each with its cause and its level', async () => {
    const causes = new Set<string>()
    await withClient(url, (client) =>
      fc.assert(
        fc.asyncProperty(anyPopulation, async (population) => {
          await settle(client, population)
          const { rows } = await selectEnds(NOW, UNTIL).execute(db)
          const standings = await findStandings(
            db,
            population.credentials.map((_, n) => credentialId(n)),
          )
          const expected = standings.flatMap(expectedEnd)
          expect(byId(rows)).toEqual(byId(expected))
          for (const { cause, level } of expected) causes.add(level ? `${level} ${cause}` : cause)
        }),
        { numRuns: 80 },
      ),
    )
    // None of the causes was left out by chance.
    expect([...causes].sort()).toEqual([
      'expires_at',
      'organization idle_timeout',
      'organization max_lifetime',
      'overlap_until',
      'platform idle_timeout',
      'platform max_lifetime',
    ])
  })
})

const byId = <End extends { readonly id: string }>(ends: readonly End[]): End[] =>
  ends.toSorted((one, other) => one.id.localeCompare(other.id))

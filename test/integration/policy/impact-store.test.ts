// A preview and reality are of one mind: what SQL says a policy would stop is what the exchange refuses once it is made.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expiryOf, findProblem, type Standing } from '../../../src/server/credential/standing.ts'
import { findStandings } from '../../../src/server/credential/standing-store.ts'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { addSeconds } from '../../../src/server/policy/effective-expiry.ts'
import type { Proposal } from '../../../src/server/policy/hit-store.ts'
import { assessImpact, countImpact, stopsSoon } from '../../../src/server/policy/impact-store.ts'
import type { ExpiryPolicy } from '../../../src/server/policy/policy.ts'
import { savePolicy } from '../../../src/server/policy/store.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { anyPolicy, buildPolicy, DAY, from, NOW } from '../../unit/server/policy/policy-fixture.ts'
import { anyPopulation, anyRule, credentialId, organizationId, settle } from '../status/population.ts'

let url: string
let db: Database
beforeAll(async () => {
  url = await createTestDatabase()
  await migrate(url)
  db = openDatabase({ url })
})
afterAll(() => db.destroy())

const ORGANIZATION = organizationId(0)
const anyProposal = fc.record({
  organizationId: fc.constantFrom(null, ORGANIZATION),
  policy: fc
    .tuple(anyPolicy, anyRule)
    .map(([terms, rule]): ExpiryPolicy => ({ ...terms, ...rule, maxActiveTokens: 10 })),
  /** How much looser it is than one in force that ends the first credential within days; null: nothing of the kind. */
  slackSeconds: fc.option(fc.integer({ min: 0, max: 20 * DAY }), { freq: 1 }),
})

async function propose({ organizationId, policy, slackSeconds }: Proposed, first: Date): Promise<Proposal> {
  if (slackSeconds === null) return { organizationId, policy }
  const present = (NOW.getTime() - first.getTime()) / 1000 + 5 * DAY
  await savePolicy(db, organizationId, { ...policy, maxLifetimeSeconds: Math.ceil(present) })
  return { organizationId, policy: { ...policy, maxLifetimeSeconds: Math.ceil(present) + slackSeconds } }
}
type Proposed = typeof anyProposal extends fc.Arbitrary<infer Value> ? Value : never

/** What the exchange says before and after, for one credential. */
interface Judged {
  readonly before: Standing
  readonly after: Standing
}

const isStoppedAt = ({ after }: Judged, instant: Date): boolean => findProblem(after, instant) !== null

/** Those that work now and that the policy ends by `instant`, which nothing that stays in force beside it does earlier. */
function listStopped(judged: readonly Judged[], { organizationId, policy }: Proposal, instant: Date) {
  return judged.flatMap(({ before, after }) => {
    const isConcerned = organizationId === null || after.organization.id === organizationId
    if (!isConcerned || findProblem(before, NOW)) return []
    const stops = expiryOf({
      ...after,
      credential: { ...after.credential, expiresAt: null, overlapUntil: null },
      policies: { platform: policy, organization: null },
    })
    if (!stops || stops.at > instant || stops.at.getTime() !== expiryOf(after)?.at.getTime()) return []
    const { at, cause } = stops
    const endedBefore = expiryOf(before)?.at
    return { before, after, at, cause, isNew: endedBefore === undefined || endedBefore > at }
  })
}

const idOf = ({ before }: Judged): string => before.credential.id

describe('the impact of a policy', () => {
  it('is what the exchange refuses once the policy is made', async () => {
    let [stoppedNow, stoppedLater, stoppedSoon] = [0, 0, 0]
    await withClient(url, (client) =>
      fc.assert(
        fc.asyncProperty(anyPopulation, anyProposal, async (population, proposed) => {
          await settle(client, population)
          const proposal = await propose(proposed, population.credentials[0]?.createdAt ?? NOW)
          const ids = population.credentials.map((_, n) => credentialId(n))
          const { impact, hits } = await assessImpact(db, proposal, NOW, 200)
          const stopsFirst = await stopsSoon(db, proposal, NOW, credentialId(0))
          const before = await findStandings(db, ids)
          await savePolicy(db, proposal.organizationId, proposal.policy)
          const after = new Map((await findStandings(db, ids)).map((one) => [one.credential.id, one]))
          const judged = before.map(
            (one): Judged => ({ before: one, after: after.get(one.credential.id) ?? one }),
          )

          const refusedNow = judged.filter((one) => !findProblem(one.before, NOW) && isStoppedAt(one, NOW))
          const toldNow = hits.filter(({ stopsAt }) => stopsAt <= NOW).map(({ id }) => id)
          expect(toldNow.sort()).toEqual(refusedNow.map(idOf).sort())

          const stopped = listStopped(judged, proposal, from(NOW, 30 * DAY))
          const expected = stopped.map((one) => [idOf(one), one.at, one.cause])
          expect(hits.map(({ id, stopsAt, rule }) => [id, stopsAt, rule]).sort(byFirst)).toEqual(
            expected.sort(byFirst),
          )
          const wasUsed = ({ before }: Judged): boolean =>
            (before.credential.lastUsedAt?.getTime() ?? 0) >= addSeconds(NOW, -30 * DAY).getTime()
          const soon = listStopped(judged, proposal, from(NOW, DAY)).filter(({ isNew }) => isNew)
          expect(impact).toEqual({
            now: refusedNow.length,
            within7Days: listStopped(judged, proposal, from(NOW, 7 * DAY)).length,
            within30Days: stopped.length,
            inUse: soon.filter(wasUsed).length,
          })
          expect(stopsFirst).toBe(soon.map(idOf).includes(credentialId(0)))
          stoppedSoon += soon.length - refusedNow.length
          stoppedNow += refusedNow.length
          stoppedLater += stopped.length - refusedNow.length
        }),
        { numRuns: 60 },
      ),
    )
    expect([stoppedNow > 0, stoppedLater > 0, stoppedSoon > 0]).toEqual([true, true, true])
  })

  it('is nothing without a rule that stops anything, and asks the database nothing', async () => {
    const policy = buildPolicy({ defaultLifetimeSeconds: 1, accessTokenMaxTtlSeconds: 1, maxActiveTokens: 1 })
    const away = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing' })
    const nothing = { now: 0, within7Days: 0, within30Days: 0, inUse: 0 }
    expect(await countImpact(away, { organizationId: null, policy }, NOW)).toEqual(nothing)
    await away.destroy()
  })
})

describe('those that a policy would stop', () => {
  /** Credentials 0 to 9 with whatever `columns` say of row `n`. */
  const seed = (columns: string): Promise<unknown> =>
    withClient(url, async (client) => {
      await client.query('truncate organizations, users, expiry_policies, former_members cascade')
      await client.query(
        `insert into organizations (id, slug, name, created_at) values ('${ORGANIZATION}', 'acme', 'Acme', now())`,
      )
      await client.query(
        `insert into roles (id, organization_id, name, reach, created_at)
           values ('${ORGANIZATION}', '${ORGANIZATION}', 'analyst', 'organization', now())`,
      )
      await client.query(
        `insert into credentials (id, kind, organization_id, role_id, name, secret_hash, created_at, last_used_at, recent_use)
           select lpad(n::text, 16, '0'), 'organization', '${ORGANIZATION}', '${ORGANIZATION}', 'c', 'x',
             '2025-01-01', ${columns} from generate_series(0, 9) n`,
      )
    })
  const policy = buildPolicy({ maxLifetimeSeconds: DAY })
  const list = async (limit: number): Promise<number[]> => {
    const { hits } = await assessImpact(db, { organizationId: null, policy }, NOW, limit)
    return hits.map(({ id }) => Number(id))
  }

  it('come most used first, use of 30 days ago counting half', async () => {
    // 0 to 2 were not used; 3 to 9 twice as much each, but each 40 days longer ago than the next.
    await seed(
      `case when n > 2 then timestamptz '2026-02-01' - n * interval '40 days' end, case when n > 2 then power(2, n) else 0 end`,
    )
    expect(await list(200)).toEqual([3, 4, 5, 6, 7, 8, 9, 0, 1, 2])
    await seed(
      `case when n > 2 then timestamptz '2026-02-01' - n * interval '20 days' end, case when n > 2 then power(2, n) else 0 end`,
    )
    expect(await list(200)).toEqual([9, 8, 7, 6, 5, 4, 3, 0, 1, 2])
  })

  it('are the same, however few are asked for', async () => {
    await seed(`case when n > 2 then timestamptz '2026-02-01' end, case when n > 2 then 1 + n / 2 else 0 end`)
    const all = await list(200)
    expect(all).toEqual([8, 9, 6, 7, 4, 5, 3, 0, 1, 2])
    for (let limit = 0; limit <= 10; limit += 1) expect(await list(limit)).toEqual(all.slice(0, limit))
  })

  it('are found behind thousands that are more used and exempt', async () => {
    await seed('null, 0')
    await withClient(url, (client) =>
      client.query(
        `with spared as (
           insert into roles (id, organization_id, name, reach, created_at)
             values ('${organizationId(1)}', '${ORGANIZATION}', 'spared', 'organization', now()) returning id)
         insert into credentials (id, kind, organization_id, role_id, name, secret_hash, created_at, last_used_at, recent_use)
           select lpad(n::text, 16, '0'), 'organization', '${ORGANIZATION}', id, 'c', 'x', '2025-01-01', '2026-02-01', n
           from spared, generate_series(10, 5000) n`,
      ),
    )
    const proposal = { organizationId: null, policy: { ...policy, exemptRoles: ['spared'] } }
    const { impact, hits } = await assessImpact(db, proposal, NOW, 3)
    expect([impact.now, hits.map(({ id }) => Number(id))]).toEqual([10, [0, 1, 2]])
  })

  it('had one minute of use, if that was before use was counted', async () => {
    await seed(
      `case when n > 2 then timestamptz '2026-02-01' - n * interval '1 hour' end, case when n = 9 then 3 else 0 end`,
    )
    expect(await list(200)).toEqual([9, 3, 4, 5, 6, 7, 8, 0, 1, 2])
  })
})

const byFirst = (one: readonly unknown[], other: readonly unknown[]): number =>
  String(one[0]).localeCompare(String(other[0]))

// The list and the exchange are of one mind: what SQL finds for a list is what `findProblem` says of each credential,
// for populations in which everything that can stop one does, alone and together.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENTRIES_PER_LIST, STATUS } from '../../../src/protocol/status-list.ts'
import { findProblem, type Standing } from '../../../src/server/credential/standing.ts'
import { findStandings } from '../../../src/server/credential/standing-store.ts'
import { statusOf } from '../../../src/server/credential/status.ts'
import { type Database, openDatabase } from '../../../src/server/db/database.ts'
import { migrate } from '../../../src/server/db/migrator.ts'
import { countStatusLists, findStopped } from '../../../src/server/status/store.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { anyPolicy, DAY, from, instant, NOW } from '../../unit/server/policy/policy-fixture.ts'

const uuid = (kind: number, n: number): string =>
  `0198c1f0-0000-7000-8${kind}00-${String(n).padStart(12, '0')}`

let url: string
let db: Database
beforeAll(async () => {
  url = await createTestDatabase()
  await migrate(url)
  db = openDatabase({ url })
})
afterAll(() => db.destroy())

const ORGANIZATIONS = 3
const USERS = 6
const ROLES = ['analyst', 'admin'] as const

/** Now and then, and at the very instant. */
const sometimes = fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: instant })
const now = fc.constant(NOW)
const past = fc.oneof(
  fc.constantFrom(0, 1, 10, 100, 400).map((days) => from(NOW, -days * DAY)),
  fc.integer({ min: 0, max: 400 * DAY * 1000 }).map((ms) => from(NOW, 0, -ms)),
)

const anyCredential = fc.record({
  owner: fc.option(fc.nat(USERS - 1), { freq: 4 }),
  organization: fc.nat(ORGANIZATIONS - 1),
  role: fc.option(fc.constantFrom(...ROLES), { freq: 5 }),
  createdAt: past,
  usedAt: fc.option(past),
  revokedAt: sometimes,
  overlapUntil: fc.oneof(sometimes, now),
  expiresAt: fc.oneof(sometimes, now),
})

const anyPopulation = fc.record({
  deletedOrganizations: fc.array(fc.boolean(), { minLength: ORGANIZATIONS, maxLength: ORGANIZATIONS }),
  userStatuses: fc.array(fc.constantFrom('active', 'active', 'active', 'suspended', 'deleted'), {
    minLength: USERS,
    maxLength: USERS,
  }),
  /** By user and organization: a role, none (`null`), or no membership any more. */
  memberships: fc.array(fc.constantFrom(...ROLES, ...ROLES, null, 'former', 'never'), {
    minLength: USERS * ORGANIZATIONS,
    maxLength: USERS * ORGANIZATIONS,
  }),
  policies: fc.array(fc.option(anyPolicy, { freq: 2 }), {
    minLength: ORGANIZATIONS + 1,
    maxLength: ORGANIZATIONS + 1,
  }),
  credentials: fc.array(anyCredential, { minLength: 40, maxLength: 60 }),
})

type Population = typeof anyPopulation extends fc.Arbitrary<infer Value> ? Value : never

const idOf = (n: number): string => n.toString(16).padStart(16, '0')
const roleId = (organization: number, role: (typeof ROLES)[number]): string =>
  uuid(2, organization * ROLES.length + ROLES.indexOf(role))

/** Makes it the whole content of the database, as the product does: members first, what becomes of them after. */
async function settle(population: Population): Promise<void> {
  const { memberships, credentials } = population
  await withClient(url, async (client) => {
    await client.query('begin; truncate organizations, users, expiry_policies, former_members cascade')
    await client.query('alter sequence credentials_status_index_seq restart')
    for (const [n, isDeleted] of population.deletedOrganizations.entries()) {
      const values = [uuid(1, n), `o${n}`, isDeleted ? NOW : null]
      await client.query('insert into organizations values ($1, $2, $2, now(), $3)', values)
      for (const role of ROLES) {
        const row = [roleId(n, role), uuid(1, n), role]
        await client.query(`insert into roles values ($1, $2, $3, 'organization', now())`, row)
      }
    }
    for (const [n, status] of population.userStatuses.entries()) {
      const values = [uuid(3, n), `${n}@acme.test`, status]
      await client.query(`insert into users values ($1, $2, 'x', $3, null, now())`, values)
    }
    for (const [at, kind] of memberships.entries()) {
      if (kind === 'never') continue
      const organization = at % ORGANIZATIONS
      const role = kind === 'former' ? 'analyst' : kind
      const values = [
        uuid(3, Math.floor(at / ORGANIZATIONS)),
        uuid(1, organization),
        role && roleId(organization, role),
      ]
      await client.query('insert into memberships values ($1, $2, $3, now())', values)
    }
    for (const [n, one] of credentials.entries()) {
      const { owner, organization, role, createdAt, usedAt, revokedAt, overlapUntil, expiresAt } = one
      await client.query(
        `insert into credentials (id, kind, organization_id, owner_id, role_id, name, secret_hash, created_at, last_used_at,
           revoked_at, overlap_until, expires_at) values ($1, $2, $3, $4, $5, 'c', 'x', $6, $7, $8, $9, $10)`,
        [
          idOf(n),
          owner === null ? 'organization' : 'personal',
          uuid(1, organization),
          owner === null ? null : uuid(3, owner),
          owner === null && role ? roleId(organization, role) : null,
          createdAt,
          usedAt,
          revokedAt,
          overlapUntil,
          expiresAt,
        ],
      )
    }
    for (const [at, kind] of memberships.entries()) {
      if (kind !== 'former') continue
      const values = [uuid(3, Math.floor(at / ORGANIZATIONS)), uuid(1, at % ORGANIZATIONS)]
      await client.query('delete from memberships where user_id = $1 and organization_id = $2', values)
    }
    for (const [n, policy] of population.policies.entries()) {
      if (!policy) continue
      await client.query(
        `insert into expiry_policies (organization_id, max_lifetime_seconds, idle_timeout_seconds, max_active_tokens,
           applies_to, exempt_roles, applies_since) values ($1, $2, $3, 10, $4, $5, $6)`,
        [
          n === ORGANIZATIONS ? null : uuid(1, n),
          policy.maxLifetimeSeconds,
          policy.idleTimeoutSeconds,
          policy.appliesTo,
          policy.exemptRoles,
          policy.appliesSince,
        ],
      )
    }
    await client.query('commit')
  })
}

/** The judgement of an exchange, as a list words it: by the status that owners see. */
function judge(standing: Standing): number {
  switch (statusOf(standing, NOW)) {
    case 'active':
      return STATUS.valid
    case 'revoked':
    case 'expired':
      return STATUS.invalid
    case 'suspended':
    case 'blocked_by_policy':
      return STATUS.suspended
  }
}

describe('the stopped credentials of a list', () => {
  it('are those an exchange would refuse, each for good or for now', async () => {
    const reasons = new Set<string>()
    await fc.assert(
      fc.asyncProperty(anyPopulation, async (population) => {
        await settle(population)
        const { invalid, suspended } = await findStopped(db, 0, NOW)
        const ids = population.credentials.map((_, n) => idOf(n))
        const standings = await findStandings(db, ids)
        expect(standings).toHaveLength(ids.length)
        const [ended, held] = [new Set(invalid), new Set(suspended)]
        const listed = standings.map(({ credential: { id, statusIndex } }) => {
          const status = ended.has(statusIndex)
            ? STATUS.invalid
            : held.has(statusIndex)
              ? STATUS.suspended
              : STATUS.valid
          return [id, status]
        })
        expect(listed).toEqual(standings.map((one) => [one.credential.id, judge(one)]))
        for (const one of standings) reasons.add(findProblem(one, NOW)?.reason ?? 'none')
      }),
      { numRuns: 25 },
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
      await client.query(`insert into organizations values ('${uuid(1, 0)}', 'acme', 'Acme', now())`)
      const last = 2 * ENTRIES_PER_LIST - 1
      await client.query(`alter sequence credentials_status_index_seq restart with ${last}`)
      for (const n of [0, 1, 2]) {
        await client.query(
          `insert into credentials (id, kind, organization_id, name, secret_hash, created_at, revoked_at)
           values ($1, 'organization', $2, 'c', 'x', now(), case when $3 then now() end)`,
          [idOf(n), uuid(1, 0), n < 2],
        )
      }
    })
    expect(await countStatusLists(db)).toBe(3)
    expect(await findStopped(db, 0, NOW)).toEqual({ invalid: [], suspended: [] })
    expect(await findStopped(db, 1, new Date())).toMatchObject({ invalid: [ENTRIES_PER_LIST - 1] })
    // The third has no role.
    const third = await findStopped(db, 2, new Date())
    expect([third.invalid, third.suspended]).toEqual([[0], [1]])
  })

  it('outlive no policy that a number could break', async () => {
    await withClient(url, (client) =>
      client.query(
        `insert into expiry_policies (max_lifetime_seconds, idle_timeout_seconds, max_active_tokens, applies_to, exempt_roles,
           applies_since) values (9007199254740991, 9007199254740991, 10, 'all', '{}', now())`,
      ),
    )
    expect((await findStopped(db, 2, new Date())).suspended).toEqual([1])
  })
})

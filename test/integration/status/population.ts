// Arbitrary populations of a database, in which everything that can stop a credential does, alone and together.

import fc from 'fast-check'
import type pg from 'pg'
import { anyPolicy, DAY, from, instant, NOW } from '../../unit/server/policy/policy-fixture.ts'

const ORGANIZATIONS = 3
const USERS = 6
const ROLES = ['analyst', 'admin'] as const

const uuid = (kind: number, n: number): string =>
  `0198c1f0-0000-7000-8${kind}00-${String(n).padStart(12, '0')}`
export const organizationId = (n: number): string => uuid(1, n)
const userId = (n: number): string => uuid(2, n)
const roleId = (organization: number, role: (typeof ROLES)[number]): string =>
  uuid(3, organization * ROLES.length + ROLES.indexOf(role))
export const credentialId = (n: number): string => n.toString(16).padStart(16, '0')

/** Now and then, and now and then at this very moment. */
const sometimes = fc.oneof(
  { weight: 8, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: instant },
  { weight: 1, arbitrary: fc.constant(NOW) },
)
const past = fc.integer({ min: 0, max: 400 * DAY * 1000 }).map((ms) => from(NOW, 0, -ms))

const anyCredential = fc.record({
  owner: fc.option(fc.nat(USERS - 1), { freq: 4 }),
  organization: fc.nat(ORGANIZATIONS - 1),
  role: fc.option(fc.constantFrom(...ROLES), { freq: 5 }),
  createdAt: past,
  usedAt: fc.option(past, { freq: 2 }),
  revokedAt: sometimes,
  overlapUntil: sometimes,
  expiresAt: sometimes,
})

/** Limits that bind about half of the credentials. */
const limit = fc.option(fc.integer({ min: 1, max: 400 * DAY }), { freq: 2 })
export const anyRule = fc.record({ maxLifetimeSeconds: limit, idleTimeoutSeconds: limit })

const times = <Value>(length: number, value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> =>
  fc.array(value, { minLength: length, maxLength: length })

export const anyPopulation = fc.record({
  areDeleted: times(ORGANIZATIONS, fc.constantFrom(false, false, false, true)),
  userStatuses: times(USERS, fc.constantFrom('active', 'active', 'active', 'suspended', 'deleted')),
  /** By user and organization: with a role, without one, not any more, or never. */
  memberships: times(USERS * ORGANIZATIONS, fc.constantFrom(...ROLES, ...ROLES, null, 'former', 'never')),
  /** By organization; the last is the platform's. */
  policies: times(ORGANIZATIONS + 1, fc.option(fc.tuple(anyPolicy, anyRule), { freq: 2 })),
  credentials: times(50, anyCredential),
})

type Population = typeof anyPopulation extends fc.Arbitrary<infer Value> ? Value : never
type Row = Readonly<Record<string, unknown>>

/** Makes it the whole content of the database, the way the product would: who is no member any more was one. */
export async function settle(client: pg.Client, population: Population): Promise<void> {
  const memberships = listMemberships(population)
  await client.query('truncate organizations, users, expiry_policies, former_members cascade')
  await insert(client, 'organizations', listOrganizations(population))
  await insert(client, 'roles', listRoles())
  await insert(client, 'users', listUsers(population))
  await insert(client, 'memberships', memberships.rows)
  await insert(client, 'credentials', listCredentials(population))
  await insert(client, 'expiry_policies', listPolicies(population))
  for (const { user_id, organization_id } of memberships.former) {
    await client.query('delete from memberships where user_id = $1 and organization_id = $2', [
      user_id,
      organization_id,
    ])
  }
}

async function insert(client: pg.Client, table: string, rows: readonly Row[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {}).join(', ')
  if (columns === '') return
  await client.query(
    `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(rows)],
  )
}

const listOrganizations = ({ areDeleted }: Population): Row[] =>
  areDeleted.map((isDeleted, n) => ({
    id: organizationId(n),
    slug: `o${n}`,
    name: 'x',
    created_at: NOW,
    deleted_at: isDeleted ? NOW : null,
  }))

const listRoles = (): Row[] =>
  Array.from({ length: ORGANIZATIONS }, (_, n) =>
    ROLES.map((name) => ({
      id: roleId(n, name),
      organization_id: organizationId(n),
      name,
      reach: 'organization',
      created_at: NOW,
    })),
  ).flat()

const listUsers = ({ userStatuses }: Population): Row[] =>
  userStatuses.map((status, n) => ({
    id: userId(n),
    email: `${n}@acme.test`,
    name: 'x',
    status,
    created_at: NOW,
  }))

function listMemberships({ memberships }: Population): { rows: Row[]; former: Row[] } {
  const all = memberships.map((kind, at) => {
    const organization = at % ORGANIZATIONS
    const role = kind === 'former' || kind === 'never' ? 'analyst' : kind
    const row = {
      user_id: userId(Math.floor(at / ORGANIZATIONS)),
      organization_id: organizationId(organization),
      role_id: role && roleId(organization, role),
      created_at: NOW,
    }
    return { kind, row }
  })
  return {
    rows: all.flatMap(({ kind, row }) => (kind === 'never' ? [] : row)),
    former: all.flatMap(({ kind, row }) => (kind === 'former' ? row : [])),
  }
}

const listCredentials = ({ credentials }: Population): Row[] =>
  credentials.map(({ owner, organization, role, ...instants }, n) => ({
    id: credentialId(n),
    kind: owner === null ? 'organization' : 'personal',
    organization_id: organizationId(organization),
    owner_id: owner === null ? null : userId(owner),
    role_id: owner === null && role ? roleId(organization, role) : null,
    name: 'c',
    secret_hash: 'x',
    created_at: instants.createdAt,
    last_used_at: instants.usedAt,
    revoked_at: instants.revokedAt,
    overlap_until: instants.overlapUntil,
    expires_at: instants.expiresAt,
  }))

const listPolicies = ({ policies }: Population): Row[] =>
  policies.flatMap((policy, n) => {
    if (!policy) return []
    const [terms, rule] = policy
    return {
      id: uuid(4, n),
      organization_id: n === ORGANIZATIONS ? null : organizationId(n),
      max_lifetime_seconds: rule.maxLifetimeSeconds,
      idle_timeout_seconds: rule.idleTimeoutSeconds,
      max_active_tokens: terms.maxActiveTokens ?? 10,
      applies_to: terms.appliesTo,
      exempt_roles: terms.exemptRoles,
      applies_since: terms.appliesSince,
    }
  })

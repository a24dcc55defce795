import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { matchesClientSecret } from '../../../src/server/directory/client-secret.ts'
import type { AuditEventType } from '../../../src/server/ledger/event.ts'
import { deriveKeys } from '../../../src/server/secret/secret-keys.ts'
import { canary } from '../../support/evidence.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { it, NOTHING, type Workbench } from './apply-workbench.ts'

const EXAMPLE = 'config/example.yaml'
const SECRET = canary('orders-service-secret-for-apply-01')
const ID = '[0-9a-f-]{36}'

const decode = (key: string): Buffer => Buffer.from(key, 'base64url')
const clientKeys = (workbench: Workbench) =>
  deriveKeys([decode(workbench.secretKey.split(',')[0] ?? '')], 'client-secret')

const findSecretHash = async ({ db }: Workbench): Promise<string> =>
  (
    await db
      .selectFrom('clients')
      .select('secret_hash')
      .where('client_id', '=', 'orders-service')
      .executeTakeFirstOrThrow()
  ).secret_hash ?? ''

const findAudits = ({ db }: Workbench, type: AuditEventType = 'configuration.applied') =>
  db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'occurred_at', 'detail'])
    .where('type', '=', type)
    .orderBy('occurred_at')
    .orderBy('id')
    .execute()

describe('config/example.yaml', () => {
  it('applies completely and says each thing it made', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    expect(await workbench.applyPaths(EXAMPLE)).toEqual({
      changes: [
        'created resource server https://api.example.com',
        'created scope models:read of https://api.example.com',
        'created scope models:write of https://api.example.com',
        'created scope datasets:read of https://api.example.com',
        'created resource server https://reports.example.com',
        'created scope reports:read of https://reports.example.com',
        'created organization acme',
        'created role acme/analyst',
        'updated permissions of role acme/analyst',
        'created role acme/engineer',
        'updated permissions of role acme/engineer',
        expect.stringMatching(`^created user jane@acme\\.test \\(id ${ID}\\)$`),
        'added jane@acme.test to acme as analyst',
        expect.stringMatching(`^created user sam@acme\\.test \\(id ${ID}\\)$`),
        'added sam@acme.test to acme as engineer',
        expect.stringMatching(`^created user ada@acme\\.test \\(id ${ID}\\)$`),
        'added ada@acme.test to acme as admin',
        'created client orders-service',
        'created client notebook',
        'created platform policy (max_lifetime: none → 365d)',
        'created policy of acme (max_lifetime: none → 90d, idle_timeout: none → 60d, access_token_max_ttl: none → 10m)',
      ],
    })
  })

  it('leaves in the tables what it says', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    await workbench.applyPaths(EXAMPLE)
    const { db } = workbench
    const servers = db.selectFrom('resource_servers').select(['audience', 'name', 'access_token_ttl_seconds'])
    expect(
      await servers.select('signing_alg').where('built_in', '=', false).orderBy('audience').execute(),
    ).toEqual([
      {
        audience: 'https://api.example.com',
        name: 'Example API',
        access_token_ttl_seconds: 300,
        signing_alg: 'ES256',
      },
      {
        audience: 'https://reports.example.com',
        name: 'Reports',
        access_token_ttl_seconds: 900,
        signing_alg: 'EdDSA',
      },
    ])
    const permissions = await db
      .selectFrom('role_permissions as p')
      .innerJoin('roles as r', 'r.id', 'p.role_id')
      .innerJoin('resource_servers as s', 's.id', 'p.resource_server_id')
      .select(['r.name', 'r.reach', 's.audience', 'p.scopes'])
      .where('r.organization_id', 'is not', null)
      .orderBy('r.name')
      .orderBy('s.audience')
      .execute()
    const reach = 'organization'
    expect(permissions).toEqual([
      {
        name: 'analyst',
        reach,
        audience: 'https://api.example.com',
        scopes: ['datasets:*', 'models:read'],
      },
      {
        name: 'engineer',
        reach,
        audience: 'https://api.example.com',
        scopes: ['datasets:read', 'models:*'],
      },
      { name: 'engineer', reach, audience: 'https://reports.example.com', scopes: ['reports:read'] },
    ])
    const policies = await db
      .selectFrom('expiry_policies as p')
      .leftJoin('organizations as o', 'o.id', 'p.organization_id')
      .select(['o.slug', 'max_lifetime_seconds', 'idle_timeout_seconds', 'access_token_max_ttl_seconds'])
      .orderBy('max_lifetime_seconds')
      .execute()
    expect(policies).toEqual([
      {
        slug: 'acme',
        max_lifetime_seconds: 90 * 86_400,
        idle_timeout_seconds: 60 * 86_400,
        access_token_max_ttl_seconds: 600,
      },
      {
        slug: null,
        max_lifetime_seconds: 365 * 86_400,
        idle_timeout_seconds: null,
        access_token_max_ttl_seconds: null,
      },
    ])
  })

  it('changes nothing when it is applied again, also later and by two files', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    await workbench.applyPaths(EXAMPLE)
    const before = await workbench.dump()
    workbench.now = new Date('2026-03-15T12:00:00Z')
    expect(await workbench.applyPaths(EXAMPLE)).toEqual(NOTHING)
    const [organizations, rest] = splitExample()
    expect(await workbench.apply(rest, organizations)).toEqual(NOTHING)
    expect(await workbench.dump()).toBe(before)
  })

  it('is recorded once, with its changes, and not when nothing changes', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    const outcome = await workbench.applyPaths(EXAMPLE)
    await workbench.applyPaths(EXAMPLE)
    const { changes } = 'changes' in outcome ? outcome : { changes: [] }
    expect(changes).toHaveLength(21)
    expect(await findAudits(workbench)).toEqual([
      { type: 'configuration.applied', actor: 'operator', occurred_at: workbench.now, detail: { changes } },
    ])
  })

  it('says what a policy stops, and what a number without a unit was taken for', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    await workbench.applyPaths(EXAMPLE)
    await workbench.query(`
      insert into credentials (id, kind, organization_id, owner_id, name, secret_hash, created_at, last_used_at)
      select lpad(to_hex(n), 16, '0'), 'personal', m.organization_id, m.user_id, 'pat ' || n, '', '2026-01-01', used_at
      from memberships m join users u on u.id = m.user_id and u.email = 'jane@acme.test',
        (values (1, null), (2, timestamptz '2026-02-27')) as v (n, used_at)`)
    workbench.now = new Date('2026-03-01T12:00:00Z')
    expect(await workbench.apply('policies: { platform: { max_lifetime: 90 } }')).toEqual({
      changes: [
        'updated platform policy (max_lifetime: 365d → 90s); stops 2, of them used in the last 30 days: 1',
      ],
    })
  })

  it('records each policy it changes, and makes a version of it', async ({ workbench }) => {
    await workbench.apply('policies: { platform: { max_lifetime: 365d } }')
    workbench.now = new Date('2026-03-01T12:00:01Z')
    await workbench.apply('policies: { platform: { max_lifetime: 90d, applies_to: new } }')
    const content = (max_lifetime_seconds: number | null, applies_since: string | null) => ({
      max_lifetime_seconds,
      default_lifetime_seconds: null,
      idle_timeout_seconds: null,
      access_token_max_ttl_seconds: null,
      max_active_tokens: 10,
      applies_to: applies_since ? 'new' : 'all',
      exempt_roles: [],
      applies_since,
    })
    const [none, year, quarter] = [
      content(null, null),
      content(365 * 86_400, null),
      content(90 * 86_400, workbench.now.toISOString()),
    ]
    const detail = (version: number, before: object, after: object) => ({
      version,
      before,
      after,
      stopped: 0,
      stopped_in_use: 0,
    })
    const records = await findAudits(workbench, 'policy.changed')
    expect(records.map((record) => [record.actor, record.detail])).toEqual([
      ['operator', detail(1, none, year)],
      ['operator', detail(2, year, quarter)],
    ])
    expect(
      await workbench.query(
        'select number, max_lifetime_seconds::int, made_by from expiry_policy_versions order by number',
      ),
    ).toEqual([
      { number: 1, max_lifetime_seconds: 365 * 86_400, made_by: null },
      { number: 2, max_lifetime_seconds: 90 * 86_400, made_by: null },
    ])
  })

  it('without its environment variable is refused by line, and leaves nothing', async ({ workbench }) => {
    const before = await workbench.dump()
    const lines = readFileSync(EXAMPLE, 'utf8').split('\n')
    const line = lines.indexOf(`    client_secret: \${ORDERS_SECRET}`) + 1
    expect(await workbench.applyPaths(EXAMPLE)).toEqual({
      problems: [`config/example.yaml:${line} the environment variable ORDERS_SECRET is not set`],
    })
    expect(await workbench.dump()).toBe(before)
    expect(await findAudits(workbench)).toEqual([])
  })
})

/** The organizations of the example in a file of their own. */
function splitExample(): [string, string] {
  const text = readFileSync(EXAMPLE, 'utf8')
  const section = /^organizations:\n(?: .*\n)+/m.exec(text)?.[0] ?? ''
  return [section, text.replace(section, '')]
}

describe('a client secret', () => {
  it('is never in the database in clear, and matches there', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    await workbench.applyPaths(EXAMPLE)
    expect(await workbench.dump()).not.toContain(SECRET)
    const hash = await findSecretHash(workbench)
    expect(hash).toMatch(/^\$hmac-sha256\$k=[\w-]{8}\$[\w-]{22}\$[\w-]{43}$/)
    expect(matchesClientSecret(SECRET, hash, clientKeys(workbench))).toBe(true)
  })

  it('is hashed anew under a new secret key, and then no more', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    await workbench.applyPaths(EXAMPLE)
    workbench.secretKey = `${newSecretKey()},${workbench.secretKey}`
    expect(await workbench.applyPaths(EXAMPLE)).toEqual({
      changes: ['updated client orders-service (client_secret)'],
    })
    expect(matchesClientSecret(SECRET, await findSecretHash(workbench), clientKeys(workbench))).toBe(true)
    expect(await workbench.applyPaths(EXAMPLE)).toEqual(NOTHING)
  })

  it('that was hashed under a key that is not there any more ends the apply', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    await workbench.applyPaths(EXAMPLE)
    const before = await workbench.dump()
    workbench.secretKey = newSecretKey()
    await expect(workbench.applyPaths(EXAMPLE)).rejects.toThrow(
      /^PATMINT_SECRET_KEY lacks the key "[\w-]{8}" that the database was written with$/,
    )
    expect(await workbench.dump()).toBe(before)
  })
})

describe('two applies at the same time', () => {
  it('of one file both succeed, and one of them changes nothing', async ({ workbench }) => {
    workbench.env = { ORDERS_SECRET: SECRET }
    const outcomes = await Promise.all([workbench.applyPaths(EXAMPLE), workbench.applyPaths(EXAMPLE)])
    expect(outcomes).toContainEqual(NOTHING)
    expect(outcomes.flatMap((outcome) => ('changes' in outcome ? outcome.changes : []))).toHaveLength(22)
    expect(await findAudits(workbench)).toHaveLength(1)
    expect(await workbench.applyPaths(EXAMPLE)).toEqual(NOTHING)
  })

  it('of different files both succeed, and end with all that one of them says', async ({ workbench }) => {
    const file = (name: string): string => `
organizations: [{ slug: acme, name: ${name} }, { slug: beta, name: ${name} }]
users: [{ email: jane@acme.test, name: ${name}, memberships: [{ organization: acme, role: member }] }]
`
    const names = ['One', 'Two', 'Three', 'Four']
    const outcomes = await Promise.all(names.map((name) => workbench.apply(file(name))))
    expect(outcomes.every((outcome) => 'changes' in outcome)).toBe(true)
    const organizations = await workbench.db.selectFrom('organizations').select('name').execute()
    const users = await workbench.db.selectFrom('users').select('name').execute()
    const all = [...organizations, ...users].map(({ name }) => name)
    expect(all).toEqual([all[0], all[0], all[0]])
    expect(names).toContain(all[0])
  })
})

import { generateKeyPairSync } from 'node:crypto'
import { describe, expect } from 'vitest'
import { canary } from '../../support/evidence.ts'
import { it, NOTHING, type Workbench } from './apply-workbench.ts'

const SECRET_LINE = `client_secret: \${ORDERS_SECRET}`
const BASE = `
resource_servers:
  - audience: https://api.example.com
    name: API
    scopes: { "models:read": Read, "models:write": Write, "datasets:read": Read }
  - audience: https://reports.example.com
    name: Reports
    scopes: { "reports:read": Read }
organizations: [{ slug: acme, name: Acme }, { slug: beta, name: Beta }]
roles:
  - organization: acme
    name: analyst
    permissions:
      - { audience: https://api.example.com, scopes: ["models:read", "datasets:*"] }
      - { audience: https://reports.example.com, scopes: ["reports:read"] }
users:
  - email: jane@acme.test
    name: Jane
    memberships: [{ organization: acme, role: analyst }]
clients:
  - client_id: orders
    ${SECRET_LINE}
    token_endpoint_auth_method: client_secret_basic
    audiences: [https://api.example.com]
policies:
  platform: { max_lifetime: 365d }
  organizations: { acme: { max_lifetime: 90d, idle_timeout: 60d } }
`
const [SECRET, OTHER_SECRET] = [
  canary('orders-secret-before-the-change'),
  canary('orders-secret-after-the-change'),
]

async function start(workbench: Workbench): Promise<void> {
  workbench.env = { ORDERS_SECRET: SECRET }
  expect(await workbench.apply(BASE)).toEqual({ changes: expect.any(Array) })
  expect(await workbench.apply(BASE)).toEqual(NOTHING)
}

/** Replaces `[before, after]` pairs, each of which must be there. */
function edit(text: string, ...pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((edited, [before, after]) => {
    if (!edited.includes(before)) throw new Error(`there is no ${before}`)
    return edited.replace(before, after)
  }, text)
}

describe('a change is told by one line and made once', () => {
  it.for([
    [
      'renames',
      [
        ['name: API', 'name: The API'],
        ['name: Acme', 'name: Acme Inc'],
        ['name: Jane', 'name: Jane Doe'],
        ['client_id: orders', 'client_id: orders\n    name: Orders'],
      ],
      [
        'updated resource server https://api.example.com (name)',
        'updated organization acme (name)',
        'updated user jane@acme.test (name)',
        'updated client orders (name)',
      ],
    ],
    [
      'settings of a resource server',
      [['name: API', 'name: API\n    access_token_ttl: 10m\n    signing_alg: PS256']],
      ['updated resource server https://api.example.com (access_token_ttl, signing_alg)'],
    ],
    [
      'scopes added, described otherwise and removed',
      [
        [
          '"models:write": Write, "datasets:read": Read',
          '"models:run": Run, "models:list": List, "datasets:read": See',
        ],
      ],
      [
        'removed scopes models:write of https://api.example.com',
        'created scope models:run of https://api.example.com',
        'created scope models:list of https://api.example.com',
        'updated scope datasets:read of https://api.example.com',
      ],
    ],
    [
      'permissions of a role',
      [['"models:read", "datasets:*"', '"models:*"']],
      ['updated permissions of role acme/analyst'],
    ],
    [
      'an audience taken from a role',
      [['\n      - { audience: https://reports.example.com, scopes: ["reports:read"] }', '']],
      ['updated permissions of role acme/analyst'],
    ],
    [
      'a role of its own',
      [['users:', '  - { organization: beta, name: analyst, permissions: [] }\nusers:']],
      ['created role beta/analyst'],
    ],
    [
      'another role of a member',
      [['role: analyst', 'role: admin']],
      ['changed the role of jane@acme.test in acme to admin'],
    ],
    [
      'a member moved',
      [['organization: acme, role: analyst', 'organization: beta, role: member']],
      ['removed jane@acme.test from acme', 'added jane@acme.test to beta as member'],
    ],
    [
      'a member removed',
      [['[{ organization: acme, role: analyst }]', '[]']],
      ['removed jane@acme.test from acme'],
    ],
    [
      'a user suspended',
      [['name: Jane', 'name: Jane\n    status: suspended']],
      ['updated user jane@acme.test (status)'],
    ],
    [
      'audiences of a client',
      [['\n    audiences: [https://api.example.com]', '']],
      ['updated client orders (audiences)'],
    ],
    [
      'a client made public',
      [
        [`\n    ${SECRET_LINE}`, ''],
        ['client_secret_basic', 'none'],
      ],
      ['updated client orders (token_endpoint_auth_method, client_secret)'],
    ],
    [
      'the way a client sends its secret',
      [['client_secret_basic', 'client_secret_post']],
      ['updated client orders (token_endpoint_auth_method)'],
    ],
    [
      'a client that may not exchange any more',
      [['client_secret_basic', 'client_secret_basic\n    grant_types: []']],
      ['updated client orders (grant_types)'],
    ],
    [
      'a client that publishes its keys',
      [
        [SECRET_LINE, 'jwks_uri: https://orders.example/jwks'],
        ['client_secret_basic', 'private_key_jwt'],
      ],
      ['updated client orders (token_endpoint_auth_method, client_secret, jwks_uri)'],
    ],
    [
      'policies',
      [
        ['max_lifetime: 365d', 'default_lifetime: 30d, max_active_tokens: 5'],
        ['idle_timeout: 60d', 'access_token_max_ttl: 1m, applies_to: new, exempt_roles: [admin]'],
      ],
      [
        'updated platform policy (max_lifetime: 365d → none, default_lifetime: none → 30d, max_active_tokens: 10 → 5)',
        'updated policy of acme (idle_timeout: 60d → none, access_token_max_ttl: none → 1m, applies_to: all → new, exempt_roles: none → admin)',
      ],
    ],
    [
      'a further policy',
      [['organizations: { acme:', 'organizations: { beta: {}, acme:']],
      ['created policy of beta'],
    ],
  ] as const)('%s', async ([_, pairs, changes], { workbench }) => {
    await start(workbench)
    const edited = edit(BASE, ...pairs)
    expect(await workbench.apply(edited)).toEqual({ changes })
    expect(await workbench.apply(edited)).toEqual(NOTHING)
    expect(await workbench.apply(BASE)).toEqual({ changes: expect.any(Array) })
    expect(await workbench.apply(BASE)).toEqual(NOTHING)
  })

  it('a client secret', async ({ workbench }) => {
    await start(workbench)
    workbench.env = { ORDERS_SECRET: OTHER_SECRET }
    expect(await workbench.apply(BASE)).toEqual({ changes: ['updated client orders (client_secret)'] })
    expect(await workbench.apply(BASE)).toEqual(NOTHING)
  })

  it('a client secret that overlaps the one before it', async ({ workbench }) => {
    const overlapping = edit(BASE, [SECRET_LINE, `${SECRET_LINE}\n    client_secret_overlap: 1h`])
    const readOverlap = async () => {
      const columns = ['previous_secret_hash as hash', 'previous_secret_until as until'] as const
      return workbench.db.selectFrom('clients').select(columns).where('client_id', '=', 'orders').execute()
    }
    await start(workbench)
    const { secret_hash: before } = await workbench.db
      .selectFrom('clients')
      .select('secret_hash')
      .where('client_id', '=', 'orders')
      .executeTakeFirstOrThrow()
    expect(await workbench.apply(overlapping)).toEqual(NOTHING)
    workbench.env = { ORDERS_SECRET: OTHER_SECRET }
    expect(await workbench.apply(overlapping)).toEqual({
      changes: ['updated client orders (client_secret)'],
    })
    const overlap = [{ hash: before, until: new Date('2026-03-01T13:00:00Z') }]
    expect(await readOverlap()).toEqual(overlap)
    workbench.now = new Date('2026-03-01T12:30:00Z')
    // Neither another apply nor one that says nothing of an overlap moves its end.
    for (const text of [overlapping, BASE]) expect(await workbench.apply(text)).toEqual(NOTHING)
    expect(await readOverlap()).toEqual(overlap)
    workbench.env = { ORDERS_SECRET: SECRET }
    await workbench.apply(BASE)
    expect(await readOverlap()).toEqual([{ hash: null, until: null }])
  })

  it('a client that signs from now on, in whatever order its keys are written', async ({ workbench }) => {
    await start(workbench)
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
    const write = (members: readonly (readonly [string, unknown])[]): string => {
      const text = Object.entries(Object.fromEntries(members)).map(([name, value]) => `${name}: ${value}`)
      return edit(
        BASE,
        [SECRET_LINE, `jwks: { keys: [{ ${text.join(', ')} }] }`],
        ['client_secret_basic', 'private_key_jwt'],
      )
    }
    // jsonb keeps members by length and then by name.
    const members = Object.entries({ use: 'sig', ...jwk, kid: 'orders-1', alg: 'ES256' })
    const signing = write(members)
    expect(await workbench.apply(signing)).toEqual({
      changes: ['updated client orders (token_endpoint_auth_method, client_secret, jwks)'],
    })
    expect(await workbench.apply(signing)).toEqual(NOTHING)
    expect(await workbench.apply(write(members.toReversed()))).toEqual(NOTHING)
    expect(await workbench.apply(write([...members, ['kid', 'orders-2']]))).toEqual({
      changes: ['updated client orders (jwks)'],
    })
  })
})

describe('the status of a user', () => {
  const declare = (status: string): string => edit(BASE, ['name: Jane', `name: Jane\n    status: ${status}`])
  const setStatus = ({ db }: Workbench, status: 'active' | 'suspended') =>
    db.updateTable('users').set({ status }).where('email', '=', 'jane@acme.test').execute()
  const findStatus = async ({ db }: Workbench) =>
    (await db.selectFrom('users').select('status').executeTakeFirstOrThrow()).status

  it('stays what it became elsewhere while no file declares it', async ({ workbench }) => {
    await start(workbench)
    expect(await findStatus(workbench)).toBe('active')
    await setStatus(workbench, 'suspended')
    expect(await workbench.apply(BASE)).toEqual(NOTHING)
    expect(await workbench.apply(edit(BASE, ['name: Jane', 'name: Jane Doe']))).toEqual({
      changes: ['updated user jane@acme.test (name)'],
    })
    expect(await findStatus(workbench)).toBe('suspended')
  })

  it('is what a file declares, back and forth', async ({ workbench }) => {
    await start(workbench)
    await setStatus(workbench, 'suspended')
    expect(await workbench.apply(declare('suspended'))).toEqual(NOTHING)
    expect(await workbench.apply(declare('active'))).toEqual({
      changes: ['updated user jane@acme.test (status)'],
    })
    expect(await findStatus(workbench)).toBe('active')
  })
})

describe('what is the same written otherwise', () => {
  it.for([
    ['a duration in other units', [['365d', '31536000']]],
    ['permissions in another order', [['"models:read", "datasets:*"', '"datasets:*", "models:read"']]],
    [
      'a permission named twice',
      [['"models:read", "datasets:*"', '"models:read", "datasets:*", "models:read"']],
    ],
    ['an e-mail address in capitals', [['email: jane@acme.test', 'email: Jane@ACME.test']]],
    ['a default', [['name: API', 'name: API\n    access_token_ttl: 5m\n    signing_alg: ES256']]],
  ] as const)('is no change: %s', async ([_, pairs], { workbench }) => {
    await start(workbench)
    expect(await workbench.apply(edit(BASE, ...pairs))).toEqual(NOTHING)
  })

  it('and what a file does not name is left alone', async ({ workbench }) => {
    await start(workbench)
    const before = await workbench.dump()
    for (const text of ['', 'organizations: [{ slug: acme, name: Acme }]', 'policies: {}'])
      expect(await workbench.apply(text)).toEqual(NOTHING)
    expect(await workbench.apply()).toEqual(NOTHING)
    expect(await workbench.dump()).toBe(before)
  })
})

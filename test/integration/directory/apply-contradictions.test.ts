import { describe, expect } from 'vitest'
import { ISSUER, it, NOTHING, type Workbench } from './apply-workbench.ts'

const BASE = `
resource_servers: [{ audience: a, name: A, scopes: { "models:read": Read } }]
organizations: [{ slug: acme, name: Acme }]
users: [{ email: jane@acme.test, name: Jane, memberships: [{ organization: acme, role: member }] }]
`
/** What would change if the rest of the file were right. */
const CHANGE = `
organizations: [{ slug: acme, name: Renamed }, { slug: gamma, name: Gamma }]
`

/** Files that contradict themselves or the database: their problems, and that the database stays as it is. */
async function refuse(workbench: Workbench, ...texts: readonly string[]): Promise<readonly string[]> {
  await workbench.apply(BASE)
  const before = await workbench.dump()
  const outcome = await workbench.apply(...texts)
  expect(await workbench.dump()).toBe(before)
  return 'problems' in outcome ? outcome.problems : []
}

describe('entries declared twice change nothing', () => {
  const ENTRIES = [
    [
      'resource_servers',
      '{ audience: b, name: B, scopes: {} }',
      'resource_servers[1]: resource server b is declared twice',
    ],
    ['organizations', '{ slug: beta, name: Beta }', 'organizations[1]: organization beta is declared twice'],
    [
      'roles',
      '{ organization: acme, name: analyst, permissions: [] }',
      'roles[1]: role acme/analyst is declared twice',
    ],
    [
      'users',
      '{ email: sam@acme.test, name: Sam, memberships: [] }',
      'users[1]: user sam@acme.test is declared twice',
    ],
    [
      'clients',
      '{ client_id: x, token_endpoint_auth_method: none }',
      'clients[1]: client x is declared twice',
    ],
  ] as const

  it.for(ENTRIES)('in one file: %s', async ([section, entry, problem], { workbench }) => {
    const text = `${section === 'organizations' ? '' : CHANGE}${section}:\n  - ${entry}\n  - ${entry}\n`
    const line = text.split('\n').length - 1
    expect(await refuse(workbench, text)).toEqual([`1.yaml:${line} ${problem}`])
  })

  it.for(ENTRIES)('across two files: %s', async ([section, entry, problem], { workbench }) => {
    const text = `${section}:\n  - ${entry}\n`
    expect(await refuse(workbench, text, `# 2\n${text}`)).toEqual([
      `2.yaml:3 ${problem.replace('[1]', '[0]')}`,
    ])
  })

  it('users also in other letters', async ({ workbench }) => {
    const text = `
users:
  - { email: sam@acme.test, name: Sam, memberships: [] }
  - { email: SAM@acme.test, name: Sam, memberships: [] }
`
    expect(await refuse(workbench, text)).toEqual(['1.yaml:4 users[1]: user sam@acme.test is declared twice'])
  })

  it('policies across two files', async ({ workbench }) => {
    const text = 'policies:\n  platform: {}\n  organizations:\n    acme: {}\n'
    expect(await refuse(workbench, text, text)).toEqual([
      '2.yaml:2 policies.platform: the policy is declared twice',
      '2.yaml:4 policies.organizations.acme: the policy is declared twice',
    ])
  })

  it('an audience within a role, and an organization within a user', async ({ workbench }) => {
    const text = `${CHANGE}
roles:
  - organization: acme
    name: analyst
    permissions:
      - { audience: a, scopes: ["models:read"] }
      - { audience: a, scopes: ["models:*"] }
users:
  - email: sam@acme.test
    name: Sam
    memberships:
      - { organization: acme, role: analyst }
      - { organization: acme, role: member }
`
    expect(await refuse(workbench, text)).toEqual([
      '1.yaml:9 roles[0].permissions[1].audience: a is declared twice',
      '1.yaml:15 users[0].memberships[1].organization: acme is declared twice',
    ])
  })
})

describe('names that do not exist change nothing', () => {
  it('and are all told at once, each with its line', async ({ workbench }) => {
    const text = `${CHANGE}
roles:
  - organization: nowhere
    name: analyst
    permissions: []
  - organization: acme
    name: analyst
    permissions:
      - { audience: z, scopes: ["models:read"] }
      - audience: a
        scopes:
          - models:read
          - models:write
          - datasets:*
users:
  - email: sam@acme.test
    name: Sam
    memberships:
      - { organization: nowhere, role: member }
      - organization: acme
        role: nobody
clients:
  - client_id: x
    token_endpoint_auth_method: none
    audiences: [a, z]
policies:
  organizations:
    nowhere: { max_lifetime: 1d }
`
    expect(await refuse(workbench, text)).toEqual([
      '1.yaml:5 roles[0].organization: there is no organization nowhere',
      '1.yaml:11 roles[1].permissions[0].audience: there is no resource server z',
      '1.yaml:15 roles[1].permissions[1].scopes[1]: models:write matches no scope of a',
      '1.yaml:16 roles[1].permissions[1].scopes[2]: datasets:* matches no scope of a',
      '1.yaml:21 users[0].memberships[0].organization: there is no organization nowhere',
      '1.yaml:23 users[0].memberships[1].role: there is no role nobody in acme',
      '1.yaml:27 clients[0].audiences[1]: there is no resource server z',
      '1.yaml:30 policies.organizations.nowhere: there is no organization nowhere',
    ])
  })

  it('nor does a scope the same file takes away', async ({ workbench }) => {
    const text = `
resource_servers: [{ audience: a, name: A, scopes: { "models:write": Write } }]
roles: [{ organization: acme, name: x, permissions: [{ audience: a, scopes: ["models:read"] }] }]
`
    expect(await refuse(workbench, text)).toEqual([
      '1.yaml:3 roles[0].permissions[0].scopes[0]: models:read matches no scope of a',
    ])
  })

  it('while whoever names an entry that is wrong in itself is not blamed for it', async ({ workbench }) => {
    const text = `
roles: [{ organization: acme, name: analyst, permissions: [{ audience: z, scopes: [x] }] }]
users: [{ email: sam@acme.test, name: Sam, memberships: [{ organization: acme, role: analyst }] }]
`
    expect(await refuse(workbench, text)).toEqual([
      '1.yaml:2 roles[0].permissions[0].audience: there is no resource server z',
    ])
  })

  it('and a role of another organization is not one of this', async ({ workbench }) => {
    const text = `
organizations: [{ slug: beta, name: Beta }]
roles: [{ organization: beta, name: analyst, permissions: [] }]
users: [{ email: sam@acme.test, name: Sam, memberships: [{ organization: acme, role: analyst }] }]
`
    expect(await refuse(workbench, text)).toEqual([
      '1.yaml:4 users[0].memberships[0].role: there is no role analyst in acme',
    ])
  })

  it('but may be in another file, whatever the order of the files', async ({ workbench }) => {
    await workbench.apply(BASE)
    const users = 'users: [{ email: s@a.test, name: S, memberships: [{ organization: beta, role: x }] }]'
    const roles = 'roles: [{ organization: beta, name: x, permissions: [] }]'
    const organizations = 'organizations: [{ slug: beta, name: Beta }]'
    expect(await workbench.apply(users, roles, organizations)).toEqual({
      changes: [
        'created organization beta',
        'created role beta/x',
        expect.stringMatching(/^created user s@a\.test /),
        'added s@a.test to beta as x',
      ],
    })
  })
})

describe('a deleted organization', () => {
  const remove = ({ db }: Workbench) =>
    db.updateTable('organizations').set({ deleted_at: new Date() }).where('slug', '=', 'acme').execute()

  it('cannot be declared again, and changes nothing', async ({ workbench }) => {
    await workbench.apply(BASE)
    await remove(workbench)
    const before = await workbench.dump()
    const text = `
organizations:
  - { slug: gamma, name: Gamma }
  - slug: acme
    name: Acme
`
    expect(await workbench.apply(text)).toEqual({
      problems: ['1.yaml:4 organizations[1].slug: organization acme was deleted, and its name stays taken'],
    })
    expect(await workbench.dump()).toBe(before)
  })

  it('is none that others could name', async ({ workbench }) => {
    await workbench.apply(BASE)
    await remove(workbench)
    const text = `
roles: [{ organization: acme, name: x, permissions: [] }]
users:
  - { email: sam@acme.test, name: Sam, memberships: [{ organization: acme, role: member }] }
policies:
  organizations:
    acme: { max_lifetime: 1d }
`
    expect(await workbench.apply(text)).toEqual({
      problems: [
        '1.yaml:2 roles[0].organization: there is no organization acme',
        '1.yaml:4 users[0].memberships[0].organization: there is no organization acme',
        '1.yaml:7 policies.organizations.acme: there is no organization acme',
      ],
    })
  })

  it('is none that anybody belongs to: a user without memberships stays as they are', async ({
    workbench,
  }) => {
    await workbench.apply(BASE)
    await remove(workbench)
    const text = 'users: [{ email: jane@acme.test, name: Jane, memberships: [] }]'
    expect(await workbench.apply(text)).toEqual(NOTHING)
  })
})

describe('what is built in', () => {
  it('cannot be declared', async ({ workbench }) => {
    const text = `${CHANGE}
resource_servers:
  - { audience: ${ISSUER}/api, name: Ours, scopes: {} }
roles:
  - { organization: acme, name: platform-admin, permissions: [] }
  - { organization: acme, name: admin, permissions: [] }
  - { organization: acme, name: member, permissions: [] }
clients:
  - { client_id: patmint-cli, token_endpoint_auth_method: none }
`
    expect(await refuse(workbench, text)).toEqual([
      `1.yaml:5 resource_servers[0].audience: ${ISSUER}/api is built in and cannot be declared`,
      '1.yaml:7 roles[0].name: platform-admin is built in and cannot be declared',
      '1.yaml:8 roles[1].name: admin is built in and cannot be declared',
      '1.yaml:9 roles[2].name: member is built in and cannot be declared',
      '1.yaml:11 clients[0].client_id: patmint-cli is built in and cannot be declared',
    ])
  })
})

describe('a default lifetime', () => {
  const policies = (lifetimes: string): string =>
    `${CHANGE}policies:\n  platform: ${lifetimes}\n  organizations:\n    acme: ${lifetimes}\n`

  it('longer than the longest changes nothing', async ({ workbench }) => {
    expect(await refuse(workbench, policies('{ max_lifetime: 90d, default_lifetime: 7776001s }'))).toEqual([
      '1.yaml:4 policies.platform.default_lifetime: is longer than max_lifetime',
      '1.yaml:6 policies.organizations.acme.default_lifetime: is longer than max_lifetime',
    ])
  })

  it('as long as the longest is applied', async ({ workbench }) => {
    await workbench.apply(BASE)
    expect(await workbench.apply(policies('{ max_lifetime: 90d, default_lifetime: 7776000s }'))).toEqual({
      changes: [
        'updated organization acme (name)',
        'created organization gamma',
        'created platform policy (max_lifetime: none → 90d, default_lifetime: none → 90d)',
        'created policy of acme (max_lifetime: none → 90d, default_lifetime: none → 90d)',
      ],
    })
  })
})

describe('files that cannot be read', () => {
  it('are all told at once, and those that can change nothing', async ({ workbench }) => {
    expect(await refuse(workbench, CHANGE, 'users: [', 'clients:\n  - {}\nuser: []\n', '- 1')).toEqual([
      '2.yaml:1 is not valid YAML (bad indent)',
      "3.yaml:2 clients[0].token_endpoint_auth_method: Invalid discriminator value. Expected 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'",
      '3.yaml:3 user: is not a known key',
      '4.yaml:1: Invalid input: expected object, received array',
    ])
  })
})

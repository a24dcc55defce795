import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import {
  type DeclarativeFile,
  type Environment,
  parseDeclarativeFile,
  readDeclarativeFile,
} from '../../../../../src/server/directory/apply/read-file.ts'

function read(text: string, env: Environment = {}): DeclarativeFile {
  const result = parseDeclarativeFile('acme.yaml', text, env)
  if (!result.ok) throw new Error(result.error.join('\n'))
  return result.value
}

const EMPTY = {
  resource_servers: [],
  organizations: [],
  roles: [],
  users: [],
  clients: [],
  policies: { organizations: {} },
}

describe('a declarative file', () => {
  it.each(['', '# nothing\n', '{}', '---\n'])('may be empty: %j', (text) => {
    expect(read(text).content).toEqual(EMPTY)
  })

  it('has defaults where the contract names them', () => {
    const text = `
resource_servers: [{ audience: a, name: A, scopes: {} }]
users: [{ email: jane@acme.test, name: Jane, memberships: [] }]
policies: { platform: {} }
`
    expect(read(text).content).toEqual({
      ...EMPTY,
      resource_servers: [
        {
          audience: 'a',
          name: 'A',
          scopes: {},
          access_token_ttl: '5m',
          signing_alg: 'ES256',
          dpop_required: false,
        },
      ],
      users: [{ email: 'jane@acme.test', name: 'Jane', memberships: [] }],
      policies: {
        platform: {
          max_lifetime: null,
          default_lifetime: null,
          idle_timeout: null,
          access_token_max_ttl: null,
          max_active_tokens: 10,
          applies_to: 'all',
          exempt_roles: [],
        },
        organizations: {},
      },
    })
  })

  it('is read as written: config/example.yaml', () => {
    const text = readFileSync('config/example.yaml', 'utf8')
    const { content } = read(text, { ORDERS_SECRET: 'not in the file' })
    const written = parse(text.replace(/\$\{ORDERS_SECRET}/, 'not in the file'))
    expect(content).toMatchObject({ ...written, policies: { platform: { max_lifetime: '365d' } } })
  })

  it('may use anchors', () => {
    const text = `
organizations:
  - &acme { slug: acme, name: Acme }
  - { slug: *slug, name: Beta }
`
    const withAnchor = text.replace('name: Acme', 'name: &slug beta')
    expect(read(withAnchor).content.organizations).toEqual([
      { slug: 'acme', name: 'beta' },
      { slug: 'beta', name: 'Beta' },
    ])
  })
})

describe('a part of a file', () => {
  const { locate } = read(`
organizations:
  - slug: acme
    name: Acme
  - { slug: beta,
      name: Beta }
policies:
  organizations:
    acme:
      max_lifetime: 90d
`)

  it.each([
    [['organizations'], 'acme.yaml:2 organizations'],
    [['organizations', 0], 'acme.yaml:3 organizations[0]'],
    [['organizations', 0, 'name'], 'acme.yaml:4 organizations[0].name'],
    [['organizations', 1], 'acme.yaml:5 organizations[1]'],
    [['organizations', 1, 'name'], 'acme.yaml:6 organizations[1].name'],
    [['policies', 'organizations', 'acme'], 'acme.yaml:9 policies.organizations.acme'],
    [
      ['policies', 'organizations', 'acme', 'max_lifetime'],
      'acme.yaml:10 policies.organizations.acme.max_lifetime',
    ],
    [[], 'acme.yaml:1'],
  ])('%j stands in %s', (path, place) => {
    expect(locate(path)).toBe(place)
  })

  it('that is left out stands where it would have to', () => {
    expect(locate(['organizations', 1, 'slugs', 3])).toBe('acme.yaml:5 organizations[1].slugs[3]')
    expect(locate(['policies', 'platform', 'max_lifetime'])).toBe(
      'acme.yaml:7 policies.platform.max_lifetime',
    )
    expect(locate(['roles', 0])).toBe('acme.yaml:1 roles[0]')
  })
})

describe('environment variables', () => {
  const nameOf = (text: string, env: Environment): string | undefined =>
    read(`organizations: [{ slug: acme, name: ${text} }]`, env).content.organizations[0]?.name

  it.each([
    [`"\${NAME}"`, 'Acme'],
    [`'\${NAME}'`, 'Acme'],
    [`"The \${NAME} of \${_N2}"`, 'The Acme of all'],
    [`"\${NAME}\${NAME}"`, 'AcmeAcme'],
    [`"$NAME \${} \${1X} \${a-b} $ {NAME}"`, `$NAME \${} \${1X} \${a-b} $ {NAME}`],
  ])('are put into %s', (text, name) => {
    expect(nameOf(text, { NAME: 'Acme', _N2: 'all' })).toBe(name)
  })

  it('are taken as text, whatever it looks like', () => {
    for (const value of ['7', 'null', '[a]', 'x: y', '# z', '"', '*a', `\${OTHER}`, '$&'])
      expect(nameOf(`"\${NAME}"`, { NAME: value, OTHER: 'no' })).toBe(value)
  })

  it('are not looked for in keys and comments', () => {
    const text = `
# \${NOWHERE}
resource_servers:
  - audience: a
    name: A # \${NOWHERE}
    scopes: { "\${SCOPE}": B }
`
    expect(read(text, { SCOPE: 'x' }).content.resource_servers[0]?.scopes).toEqual({ '${SCOPE}': 'B' })
  })
})

describe('a file on disk', () => {
  it('is read by its path', () => {
    const result = readDeclarativeFile('config/example.yaml', { ORDERS_SECRET: 'not in the file' })
    expect(result.ok && result.value.locate(['organizations', 0])).toMatch(
      /^config\/example\.yaml:\d+ organizations\[0]$/,
    )
  })

  it.each([
    ['nowhere.yaml', 'ENOENT'],
    ['config', 'EISDIR'],
  ])('%s is refused', (path, code) => {
    expect(readDeclarativeFile(path, {})).toEqual({
      ok: false,
      error: [`${path} cannot be read: ${code}`],
    })
  })
})

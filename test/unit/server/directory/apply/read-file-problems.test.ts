import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type Environment,
  parseDeclarativeFile,
} from '../../../../../src/server/directory/apply/read-file.ts'
import { canary } from '../../../../support/evidence.ts'

function problemsOf(text: string, env: Environment = {}): string[] {
  const result = parseDeclarativeFile('acme.yaml', text, env)
  if (result.ok) throw new Error('the file was taken')
  return result.error
}

const SLUG = 'must be 1 to 63 lower-case letters, digits and hyphens, without a hyphen at either end'
const TTL = 'must be a duration such as 5m, 12h or 90d, of at most 3600 seconds'
const LIFETIME = 'must be a duration such as 5m, 12h or 90d, of at most 3153600000 seconds'
const JWK = 'must be a public key; a private or symmetric key must never leave its client'

describe('problems', () => {
  it('are told all at once, each with its line and path', () => {
    const text = `
resource_servers:
  - audience: https://api.example.com
    name: ""
    scopes:
      "models:*": Every action
      "two words": Two
      "models:read": 7
    access_token_ttl: 2h
    signing_alg: HS256
    ttl: 5m
organizations:
  - { slug: -acme, name: Acme }
  - slug: beta
roles:
  - organization: acme
    name: Analyst
    permissions:
      - { audience: a, scopes: [] }
      - { audience: a, scopes: ["mod*:read"] }
users:
  - { email: jane, name: Jane, status: deleted, memberships: [{ organization: acme }] }
clients:
  - client_id: two words
    token_endpoint_auth_method: client_secret_basic
    client_secret: short
    audiences: []
  - client_id: x
    token_endpoint_auth_method: tls_client_auth
  - client_id: y
policies:
  platform: { max_lifetime: 1y, idle_timeout: 0, applies_to: old }
  organizations:
    No: { max_lifetime: 1d }
    acme: { access_token_max_ttl: 61m, max_active_tokens: 0 }
user: []
`
    expect(problemsOf(text)).toEqual([
      'acme.yaml:4 resource_servers[0].name: must have 1 to 200 characters',
      'acme.yaml:6 resource_servers[0].scopes.models:*: must be a scope without blanks, quotes or wildcards',
      'acme.yaml:7 resource_servers[0].scopes.two words: must be a scope without blanks, quotes or wildcards',
      'acme.yaml:8 resource_servers[0].scopes.models:read: Invalid input: expected string, received number',
      `acme.yaml:9 resource_servers[0].access_token_ttl: ${TTL}`,
      'acme.yaml:10 resource_servers[0].signing_alg: Invalid option: expected one of "ES256"|"EdDSA"|"RS256"|"PS256"',
      'acme.yaml:11 resource_servers[0].ttl: is not a known key',
      `acme.yaml:13 organizations[0].slug: ${SLUG}`,
      'acme.yaml:14 organizations[1].name: is missing',
      `acme.yaml:17 roles[0].name: ${SLUG}`,
      'acme.yaml:19 roles[0].permissions[0].scopes: Too small: expected array to have >=1 items',
      'acme.yaml:20 roles[0].permissions[1].scopes[0]: must be a scope; a wildcard stands for a whole type or a whole action',
      'acme.yaml:22 users[0].email: Invalid email address',
      'acme.yaml:22 users[0].status: Invalid option: expected one of "active"|"suspended"',
      'acme.yaml:22 users[0].memberships[0].role: is missing',
      'acme.yaml:24 clients[0].client_id: must be 1 to 200 printable ASCII characters without blanks',
      'acme.yaml:27 clients[0].audiences: Too small: expected array to have >=1 items',
      'acme.yaml:26 clients[0].client_secret: Too small: expected string to have >=8 characters',
      "acme.yaml:29 clients[1].token_endpoint_auth_method: Invalid discriminator value. Expected 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'",
      "acme.yaml:30 clients[2].token_endpoint_auth_method: Invalid discriminator value. Expected 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'",
      `acme.yaml:32 policies.platform.max_lifetime: ${LIFETIME}`,
      `acme.yaml:32 policies.platform.idle_timeout: ${LIFETIME.replace('of at most', 'of at least 600 and at most')}`,
      'acme.yaml:32 policies.platform.applies_to: Invalid option: expected one of "all"|"new"',
      `acme.yaml:34 policies.organizations.No: ${SLUG}`,
      `acme.yaml:35 policies.organizations.acme.access_token_max_ttl: ${TTL}`,
      'acme.yaml:35 policies.organizations.acme.max_active_tokens: Too small: expected number to be >=1',
      'acme.yaml:36 user: is not a known key',
    ])
  })

  it('of one key come once', () => {
    expect(problemsOf('policies: { platform: { max_lifetime: { days: 1 } } }')).toEqual([
      `acme.yaml:1 policies.platform.max_lifetime: ${LIFETIME}`,
    ])
  })

  it.each(['1s', '3600s', '60m', '1h', '3600', '1'])('a lifetime of %s is no problem', (ttl) => {
    const text = `resource_servers: [{ audience: a, name: A, scopes: {}, access_token_ttl: ${ttl} }]`
    expect(parseDeclarativeFile('acme.yaml', text, {})).toMatchObject({ ok: true })
  })

  it.each(['0s', '3601s', '61m', '3601', '0', '-1', '1.5', '5 m', 'P1D'])(
    'a lifetime of %s is one',
    (ttl) => {
      const text = `resource_servers: [{ audience: a, name: A, scopes: {}, access_token_ttl: ${ttl} }]`
      expect(problemsOf(text)).toEqual([`acme.yaml:1 resource_servers[0].access_token_ttl: ${TTL}`])
    },
  )
})

describe('a file that is no YAML', () => {
  it.each([
    ['a: [1', ['acme.yaml:1 is not valid YAML (bad indent)']],
    ['users: []\nusers: []', ['acme.yaml:2 is not valid YAML (duplicate key)']],
    ['users: []\n---\nusers: []', ['acme.yaml:2 is not valid YAML (multiple docs)']],
    ['users:\n  - *jane', ['acme.yaml:2 is not valid YAML (bad alias)']],
    ['users:\n  - !user jane', ['acme.yaml:2 is not valid YAML (tag resolve failed)']],
    [
      'users: "\\q"\nusers: "\\z"',
      [
        'acme.yaml:1 is not valid YAML (bad dq escape)',
        'acme.yaml:2 is not valid YAML (duplicate key)',
        'acme.yaml:2 is not valid YAML (bad dq escape)',
      ],
    ],
  ])('is refused by line: %j', (text, problems) => {
    expect(problemsOf(text).sort()).toEqual(problems.sort())
  })

  it.each([
    ['- users', 'array'],
    ['users', 'string'],
  ])('or holds %j, is refused', (text, kind) => {
    expect(problemsOf(text)).toEqual([`acme.yaml:1: Invalid input: expected object, received ${kind}`])
  })
})

describe('missing environment variables', () => {
  it('are told all at once, with the other problems but none of their own values', () => {
    const text = `
organizations:
  - { slug: "\${SLUG}", name: "\${A} and \${B}" }
  - { slug: Beta, name: Beta }
clients:
  - { client_id: x, token_endpoint_auth_method: client_secret_post, client_secret: "\${S}", x: 1 }
`
    expect(problemsOf(text, { A: 'set', B: '' })).toEqual([
      'acme.yaml:3 the environment variable SLUG is not set',
      'acme.yaml:3 the environment variable B is not set',
      'acme.yaml:6 the environment variable S is not set',
      `acme.yaml:4 organizations[1].slug: ${SLUG}`,
      'acme.yaml:6 clients[0].x: is not a known key',
    ])
  })
})

describe('keys of a client', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const [publicJwk, privateJwk] = [publicKey.export({ format: 'jwk' }), privateKey.export({ format: 'jwk' })]
  const judge = (jwk: unknown) =>
    parseDeclarativeFile(
      'acme.yaml',
      `clients:
  - client_id: x
    token_endpoint_auth_method: private_key_jwt
    jwks: ${JSON.stringify({ keys: [publicJwk, jwk] })}`,
      {},
    )

  it('may be public, with any further members', () => {
    expect(judge({ ...publicJwk, kid: 'a', use: 'sig', x5c: ['x'] })).toMatchObject({ ok: true })
  })

  it.each([
    ['a private key', privateJwk],
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'].map((member) => [
      `a public key with private member ${member}`,
      { ...publicJwk, [member]: 'AQ' },
    ]),
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a key of unknown type', { kty: 'XYZ' }],
    ['half a key', { kty: 'RSA', n: 'AQAB' }],
    ['no key', {}],
  ])('are refused as %s, by line', (_, jwk) => {
    expect(judge(jwk)).toEqual({ ok: false, error: [`acme.yaml:4 clients[0].jwks.keys[1]: ${JWK}`] })
  })
})

describe('how a client authenticates', () => {
  const judge = (method: string, ...lines: string[]) => {
    const members = [`token_endpoint_auth_method: ${method}`, ...lines].map((line) => `\n    ${line}`)
    return problemsOf(`clients:\n  - client_id: x${members.join('')}`)
  }
  const jwks = `jwks: ${JSON.stringify({ keys: [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })] })}`

  it('is by keys in the file or at a URL, never both and never neither', () => {
    const EITHER = ['acme.yaml:2 clients[0]: must have either jwks or jwks_uri']
    expect(judge('private_key_jwt')).toEqual(EITHER)
    expect(judge('private_key_jwt', jwks, 'jwks_uri: https://x.test/jwks')).toEqual(EITHER)
  })

  it('is by keys that come over TLS, or from this machine', () => {
    const URI =
      'must be an https URL without user name, password and fragment; http is for this machine alone'
    for (const uri of [
      'http://x.test/jwks',
      'http://127.0.0.1.x.test/',
      'https://a@x.test/',
      'https://x.test/#a',
    ])
      expect(judge('private_key_jwt', `jwks_uri: ${uri}`)).toEqual([
        `acme.yaml:4 clients[0].jwks_uri: ${URI}`,
      ])
    for (const uri of [
      'https://x.test/jwks?a=b',
      'http://localhost:8080/jwks',
      'http://[::1]/',
      'http://127.0.0.1/',
    ])
      expect(() => judge('private_key_jwt', `jwks_uri: ${uri}`)).toThrow('the file was taken')
  })

  it('is by a secret that an Authorization header can hold', () => {
    expect(judge('client_secret_basic', 'client_secret: caf\u00e9-secret')).toEqual([
      'acme.yaml:4 clients[0].client_secret: must be printable ASCII',
    ])
  })

  it('and what is of one method is not known to another', () => {
    const overlap = 'client_secret_overlap: 1h'
    expect(judge('none', overlap)).toEqual([
      'acme.yaml:4 clients[0].client_secret_overlap: is not a known key',
    ])
    expect(judge('client_secret_post', 'client_secret: a-long-secret', 'client_secret_overlap: 8d')).toEqual([
      'acme.yaml:5 clients[0].client_secret_overlap: must be a duration such as 5m, 12h or 90d, of at most 604800 seconds',
    ])
  })
})

describe('text that Postgres does not take', () => {
  const TEXT = 'must be well-formed Unicode without U+0000, and hold no credential'
  const NAME = 'must not hold control characters, line breaks or text direction marks'
  const describedAs = (description: string): string => `
resource_servers:
  - audience: a
    name: A
    scopes:
      "models:read": Read
      "models:write": ${description}
`
  it.each([
    ['U+0000', '"a\\0b"'],
    ['half a character', '"a\\ud800b"'],
    ['a credential', `pat_${'0'.repeat(64)}`],
  ])('is refused in a description by line: %s', (_, text) => {
    expect(problemsOf(describedAs(text))).toEqual([
      `acme.yaml:7 resource_servers[0].scopes.models:write: ${TEXT}`,
    ])
  })

  it('is refused from the environment too', () => {
    const env = { NUL: 'a\0b', HALF: 'a\udc00b' }
    for (const name of ['NUL', 'HALF'])
      expect(problemsOf(describedAs(`"\${${name}}"`), env)).toEqual([
        `acme.yaml:7 resource_servers[0].scopes.models:write: ${TEXT}`,
      ])
    const named = `organizations:\n  - slug: acme\n    name: "\${NUL}"`
    expect(problemsOf(named, env)).toEqual([`acme.yaml:3 organizations[0].name: ${NAME}`])
  })

  it('is not text of several lines, in any language', () => {
    const text = describedAs('|\n        Ändert\n        моделі 🙂').trimEnd()
    expect(parseDeclarativeFile('acme.yaml', text, {})).toMatchObject({ ok: true })
  })

  it('is refused wherever a file can hold text', () => {
    const file = (bad: string): string => `
resource_servers: [{ audience: ${bad}, name: ${bad}, scopes: { s: ${bad}, ${bad}: x } }]
organizations: [{ slug: ${bad}, name: ${bad} }]
roles: [{ organization: ${bad}, name: ${bad}, permissions: [{ audience: ${bad}, scopes: [${bad}] }] }]
users: [{ email: ${bad}, name: ${bad}, memberships: [{ organization: ${bad}, role: ${bad} }] }]
clients: [{ client_id: ${bad}, name: ${bad}, token_endpoint_auth_method: none, audiences: [${bad}] }]
policies: { platform: { exempt_roles: [${bad}] }, organizations: { ${bad}: {} } }
`
    for (const bad of ['"x\\0"', '"x\\ud800"']) expect(problemsOf(file(bad))).toHaveLength(19)
  })
})

describe('a secret', () => {
  const secret = canary(`Sesame-${randomBytes(12).toString('hex')}`)
  const client = (value: string): string =>
    `clients: [{ client_id: x, token_endpoint_auth_method: client_secret_basic, client_secret: ${value} }]`

  it.each([
    client(`*${secret}`),
    client(`!${secret} x`),
    client(`"\\q${secret}"`),
    client(`"${secret}`),
    client(`"x" ${secret}`),
    client(`[${secret}]`),
    client(`{ a: ${secret} }`),
    client(secret.repeat(20)),
    `clients:\n  - client_secret: |${secret}`,
    `clients:\n  - client_id: x\n    client_secret:${secret}`,
    client(secret).replace('client_secret_basic', 'none'),
    client(secret).replace('client_id: x', 'client_id: ""'),
  ])('in a file that is wrong around it is not quoted: %#', (text) => {
    expect(problemsOf(text).join('\n')).not.toContain(secret)
  })

  it('from the environment is not quoted either', () => {
    const text = client(`"\${SECRET}"`).replace('client_id: x', 'client_id: " "')
    expect(problemsOf(text, { SECRET: secret }).join('\n')).not.toContain(secret)
    expect(problemsOf(client(`"\${SECRET}"`), { SECRET: secret.repeat(20) }).join('\n')).not.toContain(secret)
  })
})

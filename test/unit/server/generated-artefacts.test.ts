import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { renderArtefacts } from '../../../src/server/generate.ts'

const read = (path: string): string => readFileSync(path, 'utf8')
const loadSchema = (path: string) => z.fromJSONSchema(JSON.parse(read(path)))

describe('the generated artefacts', () => {
  const artefacts = renderArtefacts()

  it('are the two schemas and the OpenAPI document', () => {
    expect([...artefacts.keys()]).toEqual([
      'config/patmint.schema.json',
      'config/apply.schema.json',
      'docs/openapi.json',
    ])
  })

  it.each([...artefacts])('%s is up to date (if not: regenerate with npm run generate)', (path, text) => {
    expect(read(path)).toBe(text)
  })

  it('say what they are schemas of', () => {
    const schemas = [...artefacts].filter(([path]) => path.endsWith('.schema.json'))
    const heads = schemas.map(([, text]) => {
      const { $schema, $id, title } = JSON.parse(text)
      return { $schema, $id, title }
    })
    const $schema = 'https://json-schema.org/draft/2020-12/schema'
    expect(heads).toEqual([
      { $schema, $id: 'urn:patmint:schema:config', title: 'Patmint server configuration' },
      { $schema, $id: 'urn:patmint:schema:apply', title: 'Patmint declarative file' },
    ])
  })
})

describe('config/patmint.schema.json', () => {
  const schema = loadSchema('config/patmint.schema.json')

  it('takes a configuration of every key', () => {
    const file = {
      issuer: 'https://sts.example.com',
      host: '::',
      port: 0,
      database_url: 'postgresql://patmint@db.example.com/patmint',
      data_dir: '/var/lib/patmint',
      secret_key: `${'A'.repeat(43)},${'B'.repeat(43)}`,
      apply: ['acme.yaml'],
      bootstrap_token: `pat_${'0'.repeat(64)}`,
      bootstrap_password: 'eight ch',
      log_level: 'debug',
      credential_reuse: 'revoke_family',
      metrics_host: '::1',
      metrics_port: 'off',
      otlp_endpoint: 'http://localhost:4318',
      trace_ratio: 0.01,
      subject_token_type_aliases: ['urn:example:pat'],
      credential_hash: { memory_kib: 8, passes: 1, lanes: 1 },
    }
    expect(schema.safeParse(file)).toMatchObject({ success: true })
  })

  it.each([
    { issuer: 'https://sts.example.com/' },
    { issuer: 'ftp://sts.example.com' },
    { host: '' },
    { port: 65_536 },
    { port: -1 },
    { port: 1.5 },
    { database_url: 'mysql://db/patmint' },
    { secret_key: 'A'.repeat(42) },
    { apply: 'acme.yaml' },
    { bootstrap_token: `key_${'0'.repeat(64)}` },
    { bootstrap_password: 'seven c' },
    { bootstrap_password: 'x'.repeat(257) },
    { log_level: 'trace' },
    { metrics_port: 'on' },
    { otlp_endpoint: 'grpc://localhost:4317' },
    { trace_ratio: 1.1 },
    { credential_hash: { memory_kib: 7 } },
    { isuer: 'https://sts.example.com' },
  ])('refuses %j', (file) => {
    expect(schema.safeParse(file).success).toBe(false)
  })
})

describe('config/apply.schema.json', () => {
  const schema = loadSchema('config/apply.schema.json')
  const server = { audience: 'https://api.example.com', name: 'API', scopes: {} }
  const role = (scope: string) => ({
    roles: [{ organization: 'acme', name: 'x', permissions: [{ audience: 'a', scopes: [scope] }] }],
  })

  it('takes config/example.yaml, which names it in its first line', () => {
    const text = read('config/example.yaml')
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=apply.schema.json')
    expect(schema.safeParse(parse(text))).toMatchObject({ success: true })
  })

  it('takes wildcards in a role', () => {
    expect(schema.safeParse(role('models:*')).success).toBe(true)
  })

  it.each([
    { organizations: [{ slug: 'Acme', name: 'Acme' }] },
    { organizations: [{ slug: 'acme' }] },
    { resource_servers: [{ ...server, scopes: { 'models:*': '' } }] },
    { resource_servers: [{ ...server, access_token_ttl: '5y' }] },
    { resource_servers: [{ ...server, access_token_ttl: 3601 }] },
    { resource_servers: [{ ...server, signing_alg: 'HS256' }] },
    role('two scopes'),
    { users: [{ email: 'jane', name: 'Jane', memberships: [] }] },
    { clients: [{ client_id: 'x', token_endpoint_auth_method: 'client_secret_basic' }] },
    { clients: [{ client_id: 'x', token_endpoint_auth_method: 'none', client_secret: 'not needed here' }] },
    { policies: { platform: { max_active_tokens: 0 } } },
    { organisations: [] },
  ])('refuses %j', (file) => {
    expect(schema.safeParse(file).success).toBe(false)
  })
})

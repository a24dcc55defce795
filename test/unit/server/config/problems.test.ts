import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { generateCredential } from '../../../../src/protocol/credential.ts'
import { canary } from '../../../support/evidence.ts'
import { newSecretKey } from '../../../support/server-process.ts'
import { newFolder, problemsOf, problemsOfFile } from './config-fixture.ts'

const KEY_REQUIRED =
  'is required with a database URL: the database is worthless without the key it was written with'
const ISSUER = 'must be an http(s) origin without path or trailing slash, such as https://sts.example.com'
const PORT =
  'must be a port number (in Kubernetes, a Service called patmint sets PATMINT_PORT: use enableServiceLinks: false)'
const METRICS_PORT =
  'must be a port number, or off (in Kubernetes, a Service called patmint-metrics sets PATMINT_METRICS_PORT: use enableServiceLinks: false)'
const OTLP_ENDPOINT = 'must be an http(s) URL, such as http://localhost:4318'
const RATIO = 'must be a number from 0 to 1'
const CIDR = 'must be a CIDR block such as 10.0.0.0/8, 10.0.0.5/32 or 2001:db8::/32'
const WORKERS = 'must be a whole number from 1 to 64, or auto'
const POOL_SIZE = 'must be a whole number from 2 to 100'
const SECRET_KEY = 'must be 32 bytes in base64url (43 characters), or several of those separated by commas'

describe('problems', () => {
  it('of variables are told all at once, each by the name of its variable', () => {
    expect(
      problemsOf({
        PATMINT_ISSUER: 'https://sts.example.com/',
        PATMINT_PORT: 'tcp://10.0.0.1:8693',
        PATMINT_WORKERS: 'all',
        PATMINT_TRUSTED_PROXIES: '10.0.0.0/8,10.0.0.1,nginx',
        PATMINT_DATABASE_URL: 'mysql://db/patmint',
        PATMINT_DATABASE_POOL_SIZE: 'many',
        PATMINT_BOOTSTRAP_TOKEN: 'pat_1',
        PATMINT_BOOTSTRAP_PASSWORD: 'seven c',
        PATMINT_LOG_LEVEL: 'trace',
        PATMINT_CREDENTIAL_REUSE: 'forgive',
        PATMINT_METRICS_PORT: 'tcp://10.0.0.1:9464',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318',
        PATMINT_TRACE_RATIO: '2',
      }),
    ).toEqual([
      `PATMINT_ISSUER ${ISSUER}`,
      `PATMINT_PORT ${PORT}`,
      `PATMINT_WORKERS ${WORKERS}`,
      `PATMINT_TRUSTED_PROXIES ${CIDR}`,
      'PATMINT_DATABASE_URL must be a postgres:// URL',
      `PATMINT_DATABASE_POOL_SIZE ${POOL_SIZE}`,
      'PATMINT_BOOTSTRAP_TOKEN must be a well-formed PAT (pat_…)',
      'PATMINT_BOOTSTRAP_PASSWORD must be text of 8 to 256 characters',
      'PATMINT_LOG_LEVEL must be one of debug, info, warn, error',
      'PATMINT_CREDENTIAL_REUSE must be one of flag, revoke_family',
      `PATMINT_METRICS_PORT ${METRICS_PORT}`,
      `OTEL_EXPORTER_OTLP_ENDPOINT ${OTLP_ENDPOINT}`,
      `PATMINT_TRACE_RATIO ${RATIO}`,
      `PATMINT_SECRET_KEY ${KEY_REQUIRED}`,
    ])
  })

  it('of a file are told all at once, each by file and key', () => {
    const text = `
issuer: [https://sts.example.com]
host: 7
port: "8693"
workers: 65
trusted_proxies: [10.0.0.0/8, 10.0.0.1, 7]
client_jwks_allowed_cidrs: [localhost]
database_url: ""
database_pool_size: 1
data_dir: ""
secret_key: short
apply: acme.yaml
bootstrap_token: 1
bootstrap_password: ${'x'.repeat(257)}
log_level: loud
credential_reuse: true
metrics_host: 7
metrics_port: on
otlp_endpoint: grpc://collector:4317
trace_ratio: half
subject_token_type_aliases: [ok, 7]
credential_hash: { memory_kib: 4, passes: many, lanes: 17, salt: 1 }
isuer: https://sts.example.com
ports: 1
`
    expect(problemsOfFile(text)).toEqual([
      `FILE: issuer ${ISSUER}`,
      'FILE: host must be text, and not empty',
      `FILE: port ${PORT}`,
      `FILE: workers ${WORKERS}`,
      `FILE: trusted_proxies.1 ${CIDR}`,
      `FILE: trusted_proxies.2 ${CIDR}`,
      'FILE: database_url must be a postgres:// URL',
      `FILE: database_pool_size ${POOL_SIZE}`,
      'FILE: data_dir must be text, and not empty',
      `FILE: secret_key ${SECRET_KEY}`,
      'FILE: apply must be a list',
      'FILE: bootstrap_token must be a well-formed PAT (pat_…)',
      'FILE: bootstrap_password must be text of 8 to 256 characters',
      'FILE: log_level must be one of debug, info, warn, error',
      'FILE: credential_reuse must be one of flag, revoke_family',
      'FILE: metrics_host must be text, and not empty',
      `FILE: metrics_port ${METRICS_PORT}`,
      `FILE: otlp_endpoint ${OTLP_ENDPOINT}`,
      `FILE: trace_ratio ${RATIO}`,
      'FILE: subject_token_type_aliases.1 must be text, and not empty',
      'FILE: credential_hash.memory_kib must be a whole number from 8 to 1048576',
      'FILE: credential_hash.passes must be a whole number from 1 to 100',
      'FILE: credential_hash.lanes must be a whole number from 1 to 16',
      'FILE: credential_hash.salt is not a known key',
      `FILE: client_jwks_allowed_cidrs.0 ${CIDR}`,
      'FILE: isuer is not a known key',
      'FILE: ports is not a known key',
    ])
  })

  it('of a status list that would expire before it is renewed are told, beside others', () => {
    expect(
      problemsOfFile('port: many\nstatus_list_ttl_seconds: 31\nstatus_list_lifetime_seconds: 61\n'),
    ).toEqual([
      `FILE: port ${PORT}`,
      'FILE: status_list_lifetime_seconds must be at least twice status_list_ttl_seconds',
    ])
    expect(problemsOfFile('status_list_ttl_seconds: soon\nstatus_list_lifetime_seconds: 3601\n')).toEqual([
      'FILE: status_list_ttl_seconds must be a whole number from 1 to 600',
      'FILE: status_list_lifetime_seconds must be a whole number from 2 to 3600',
    ])
  })

  it('of both name where each value came from', () => {
    expect(problemsOfFile('port: many\nhost: ""\n', { PATMINT_PORT: '65536' })).toEqual([
      'FILE: host must be text, and not empty',
      `PATMINT_PORT ${PORT}`,
    ])
  })
})

describe('a secret key', () => {
  it('is required with a database URL, wherever that was given', () => {
    expect(problemsOf({ PATMINT_DATABASE_URL: 'postgres://db/patmint' })).toEqual([
      `PATMINT_SECRET_KEY ${KEY_REQUIRED}`,
    ])
    expect(problemsOfFile('database_url: postgres://db/patmint')).toEqual([
      `PATMINT_SECRET_KEY ${KEY_REQUIRED}`,
    ])
  })

  it.each([
    ['one byte short', newSecretKey().slice(0, 42)],
    ['one character long', `${newSecretKey()}A`],
    ['in base64', `${newSecretKey().slice(0, 41)}+/`],
    ['padded', `${newSecretKey()}=`],
    ['followed by a comma', `${newSecretKey()},`],
    ['beside a bad one', `${newSecretKey()},${newSecretKey().slice(1)}`],
  ])('%s is refused and not quoted', (_, key) => {
    expect(problemsOf({ PATMINT_SECRET_KEY: key })).toEqual([`PATMINT_SECRET_KEY ${SECRET_KEY}`])
  })
})

describe('values', () => {
  it.each([
    'sts.example.com',
    'ftp://sts.example.com',
    'https://sts.example.com/',
    'https://sts.example.com/sts',
    'https://sts.example.com?x',
    'https://user:secret@sts.example.com',
    'https://STS.example.com',
    'https://sts.example.com:443',
    'https://',
  ])('issuer %s is refused', (issuer) => {
    expect(problemsOf({ PATMINT_ISSUER: issuer })).toEqual([`PATMINT_ISSUER ${ISSUER}`])
  })

  it.each(['-1', '65536', '8693 ', '0x21', '1e3', '1.5'])('port "%s" is refused', (port) => {
    expect(problemsOf({ PATMINT_PORT: port })).toEqual([`PATMINT_PORT ${PORT}`])
  })

  it.each(['0', '65', '1.5', '-1', 'AUTO', 'auto '])('workers "%s" are refused', (workers) => {
    expect(problemsOf({ PATMINT_WORKERS: workers })).toEqual([`PATMINT_WORKERS ${WORKERS}`])
  })

  it.each(['1', '101'])('a pool of %s connections is refused', (size) => {
    expect(problemsOf({ PATMINT_DATABASE_POOL_SIZE: size })).toEqual([
      `PATMINT_DATABASE_POOL_SIZE ${POOL_SIZE}`,
    ])
  })

  it.each(['10.0.0.1', '10.0.0.1/8', '10.0.0.0/33', '2001:db8::1/32', '::1', 'localhost', '*', 'true'])(
    'trusted proxy "%s" is refused',
    (block) => {
      expect(problemsOf({ PATMINT_TRUSTED_PROXIES: block })).toEqual([`PATMINT_TRUSTED_PROXIES ${CIDR}`])
    },
  )

  it('trusted proxies are refused when they are no list', () => {
    expect(problemsOfFile('trusted_proxies: 10.0.0.0/8')).toEqual(['FILE: trusted_proxies must be a list'])
  })

  it('argon2id memory is refused below what its lanes need', () => {
    expect(problemsOfFile('credential_hash: { memory_kib: 31, lanes: 4 }')).toEqual([
      'FILE: credential_hash.memory_kib must be at least 8 for every lane',
    ])
  })

  it.each(['3', 'yes', '[]'])('credential_hash %s is refused', (value) => {
    expect(problemsOfFile(`credential_hash: ${value}`)).toEqual([
      'FILE: credential_hash must hold memory_kib, passes and lanes',
    ])
  })
})

describe('a file', () => {
  it('that PATMINT_CONFIG names must exist', () => {
    expect(problemsOf({ PATMINT_CONFIG: '/nowhere/patmint.yaml' })).toEqual([
      'PATMINT_CONFIG /nowhere/patmint.yaml does not exist',
    ])
  })

  it('that cannot be read is told, with the problems of variables but not what it may have held', () => {
    const folder = newFolder()
    const variables = { PATMINT_DATABASE_URL: 'postgres://db/patmint', PATMINT_PORT: 'many' }
    expect(problemsOf({ ...variables, PATMINT_CONFIG: folder })).toEqual([
      `${folder} cannot be read: EISDIR`,
      `PATMINT_PORT ${PORT}`,
    ])
  })

  it.each(['- port: 1', 'port', '7', '"port: 1"'])('that holds %j is refused', (text) => {
    expect(problemsOfFile(text)).toEqual(['FILE must hold keys and values'])
  })

  it.each([
    ['port: 1\nport: 2', 'FILE:2 is not valid YAML (duplicate key)'],
    ['port: 1\n---\nhost: x', 'FILE:2 is not valid YAML (multiple docs)'],
    ['host: x\napply: [a.yaml', 'FILE:2 is not valid YAML (bad indent)'],
    ['host: x\n\tport: 1', 'FILE:2 is not valid YAML (tab as indent)'],
  ])('%j is refused by line', (text, problem) => {
    expect(problemsOfFile(text)).toEqual([problem])
  })
})

describe('a secret', () => {
  const secret = canary(`Sesame-${randomBytes(12).toString('hex')}`)
  const pat = canary(generateCredential('personal', randomBytes).reveal())

  it.each([
    ['a database URL', { PATMINT_DATABASE_URL: `mysql://patmint:${secret}@db/patmint` }],
    ['a database URL that is none', { PATMINT_DATABASE_URL: `postgres://patmint:${secret}/@db:x/patmint` }],
    ['a secret key', { PATMINT_SECRET_KEY: secret }],
    ['a mistyped token', { PATMINT_BOOTSTRAP_TOKEN: `${pat.slice(0, -1)}g` }],
    ['a token with something after it', { PATMINT_BOOTSTRAP_TOKEN: `${pat} ` }],
    ['an over-long password', { PATMINT_BOOTSTRAP_PASSWORD: secret.repeat(9) }],
  ])('in %s is not quoted', (_, variables) => {
    const problems = problemsOf(variables).join('\n')
    expect(problems).not.toBe('')
    for (const part of [secret, pat.slice(4, -1)]) expect(problems).not.toContain(part)
  })

  it.each([
    `host: x\nbootstrap_password:${secret}`,
    `bootstrap_password: "${secret}`,
    `bootstrap_password: "a" ${secret}`,
    `bootstrap_password: *${secret}`,
    `bootstrap_password: !${secret} x`,
    `bootstrap_password: &${secret} short`,
    `bootstrap_password: @${secret}`,
    `bootstrap_password: |${secret}`,
    `bootstrap_password: "\\q${secret}"`,
    `bootstrap_password: [${secret}`,
    `bootstrap_password: { a: ${secret} }`,
    `%${secret}\n---\nhost: x`,
  ])('in a file that is wrong around it is not quoted: %#', (text) => {
    const problems = problemsOfFile(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.join('\n')).not.toContain(secret)
  })
})

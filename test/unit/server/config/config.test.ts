import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import { generateCredential, PresentedCredential } from '../../../../src/protocol/credential.ts'
import { canary } from '../../../support/evidence.ts'
import { newSecretKey } from '../../../support/server-process.ts'
import { load, writeConfigFile } from './config-fixture.ts'

const DEFAULTS = {
  issuer: undefined,
  host: '127.0.0.1',
  port: 8693,
  workers: 1,
  trustedProxies: [],
  clientJwksAllowedCidrs: [],
  databaseUrl: undefined,
  databasePoolSize: 10,
  databaseTimeouts: { connectMs: 3000, lockMs: 3000, statementMs: 4000 },
  exchangeDeadlineMs: 4000,
  dataDir: '.patmint',
  secretKeys: undefined,
  applyFiles: [],
  bootstrapToken: undefined,
  bootstrapPassword: undefined,
  signingKeys: { rotationSeconds: 30 * 86_400, pollSeconds: 10, jwksMaxAgeSeconds: 300 },
  logLevel: 'info',
  credentialReuse: 'flag',
  dpopProofSeconds: 60,
  dpopNonce: 'off',
  metricsHost: '127.0.0.1',
  metricsPort: undefined,
  otlpEndpoint: undefined,
  traceRatio: 1,
  statusLists: { ttlSeconds: 30, lifetimeSeconds: 600 },
  subjectTokenTypeAliases: ['urn:logto:token-type:personal_access_token'],
  limits: {
    failureWindowSeconds: 60,
    failuresPerAddress: 100,
    failuresPerClient: 1000,
    failuresPerCredential: 10,
    hashQueue: 500,
    inFlight: 1000,
  },
  keepAliveSeconds: 75,
  credentialHash: { memoryKib: 1024, passes: 1, lanes: 1 },
  notices: undefined,
}

const newToken = (): string => canary(generateCredential('personal', randomBytes).reveal())
const newPassword = (): string => canary(randomBytes(12).toString('base64url'))
const [fileKey, variableKey] = [newSecretKey(), newSecretKey()]
const [fileToken, variableToken] = [newToken(), newToken()]
const [filePassword, variablePassword] = [newPassword(), newPassword()]

const FILE = `
issuer: https://file.example.com
host: 10.0.0.1
port: 1001
workers: 3
trusted_proxies: [10.0.0.0/8, '2001:db8::/32']
client_jwks_allowed_cidrs: [10.20.0.0/16]
database_url: postgres://file@db/patmint
database_pool_size: 20
database_connect_seconds: 5
database_lock_seconds: 6
database_statement_seconds: 7
exchange_deadline_seconds: 8
data_dir: /file
secret_key: ${fileKey}
apply: [file.yaml, further.yaml]
bootstrap_token: ${fileToken}
bootstrap_password: "${filePassword}"
key_rotation_days: 18
key_poll_seconds: 19
jwks_max_age_seconds: 20
log_level: warn
credential_reuse: revoke_family
dpop_proof_seconds: 30
dpop_nonce: required
metrics_host: 10.0.0.2
metrics_port: 0
otlp_endpoint: http://file.example.com:4318
trace_ratio: 0.5
status_list_ttl_seconds: 18
status_list_lifetime_seconds: 180
subject_token_type_aliases: [urn:example:pat]
credential_hash: { memory_kib: 64, passes: 2, lanes: 4 }
failure_window_seconds: 11
failures_per_address: 12
failures_per_client: 13
failures_per_credential: 14
hash_queue_limit: 15
max_in_flight: 16
keep_alive_seconds: 17
`

const FILE_KEYS = { rotationSeconds: 18 * 86_400, pollSeconds: 19, jwksMaxAgeSeconds: 20 }
const FILE_LIMITS = {
  failureWindowSeconds: 11,
  failuresPerAddress: 12,
  failuresPerClient: 13,
  failuresPerCredential: 14,
  hashQueue: 15,
  inFlight: 16,
}

const decode = (key: string): Buffer => Buffer.from(key, 'base64url')

describe('without file and variables', () => {
  it('every default holds', () => {
    expect(load({})).toEqual(DEFAULTS)
  })

  it('an empty variable counts as unset', () => {
    const names = ['ISSUER', 'HOST', 'PORT', 'DATABASE_URL', 'DATA_DIR', 'SECRET_KEY', 'APPLY', 'LOG_LEVEL']
    const more = [
      'BOOTSTRAP_TOKEN',
      'BOOTSTRAP_PASSWORD',
      'TRUSTED_PROXIES',
      'CREDENTIAL_REUSE',
      'CLIENT_JWKS_ALLOWED_CIDRS',
    ]
    const limits = ['FAILURE_WINDOW_SECONDS', 'FAILURES_PER_ADDRESS', 'FAILURES_PER_CLIENT', 'MAX_IN_FLIGHT']
    const rest = ['FAILURES_PER_CREDENTIAL', 'HASH_QUEUE_LIMIT', 'KEEP_ALIVE_SECONDS']
    const waits = ['DATABASE_CONNECT_SECONDS', 'DATABASE_LOCK_SECONDS', 'EXCHANGE_DEADLINE_SECONDS']
    const numbers = [
      'WORKERS',
      'DATABASE_POOL_SIZE',
      'KEY_ROTATION_DAYS',
      'KEY_POLL_SECONDS',
      'JWKS_MAX_AGE_SECONDS',
    ]
    const all = [...names, ...more, ...limits, ...rest, ...waits, ...numbers]
    expect(load(Object.fromEntries(all.map((name) => [`PATMINT_${name}`, ''])))).toEqual(DEFAULTS)
  })
})

describe('a configuration file', () => {
  const path = writeConfigFile(FILE)

  it('gives every key', () => {
    const { bootstrapToken, ...config } = load({ PATMINT_CONFIG: path })
    expect(bootstrapToken?.reveal()).toBe(fileToken)
    expect(config).toEqual({
      issuer: 'https://file.example.com',
      host: '10.0.0.1',
      port: 1001,
      workers: 3,
      trustedProxies: ['10.0.0.0/8', '2001:db8::/32'],
      clientJwksAllowedCidrs: ['10.20.0.0/16'],
      databaseUrl: 'postgres://file@db/patmint',
      databasePoolSize: 20,
      databaseTimeouts: { connectMs: 5000, lockMs: 6000, statementMs: 7000 },
      exchangeDeadlineMs: 8000,
      dataDir: '/file',
      secretKeys: [decode(fileKey)],
      applyFiles: ['file.yaml', 'further.yaml'],
      bootstrapPassword: filePassword,
      signingKeys: FILE_KEYS,
      logLevel: 'warn',
      credentialReuse: 'revoke_family',
      dpopProofSeconds: 30,
      dpopNonce: 'required',
      limits: FILE_LIMITS,
      keepAliveSeconds: 17,
      metricsHost: '10.0.0.2',
      metricsPort: 0,
      otlpEndpoint: 'http://file.example.com:4318',
      traceRatio: 0.5,
      statusLists: { ttlSeconds: 18, lifetimeSeconds: 180 },
      subjectTokenTypeAliases: ['urn:example:pat'],
      credentialHash: { memoryKib: 64, passes: 2, lanes: 4 },
    })
  })

  it('that is empty, or whose keys are, changes nothing', () => {
    for (const text of ['', '# nothing\n', 'issuer:\nport:\napply:\nsecret_key:\n'])
      expect(load({ PATMINT_CONFIG: writeConfigFile(text) })).toEqual(DEFAULTS)
  })

  it('may leave out parts of a key', () => {
    const config = load({ PATMINT_CONFIG: writeConfigFile('credential_hash: { passes: 3 }') })
    expect(config.credentialHash).toEqual({ memoryKib: 1024, passes: 3, lanes: 1 })
  })

  it.each([
    ['PATMINT_ISSUER', 'http://localhost:1', 'issuer', 'http://localhost:1'],
    ['PATMINT_HOST', '::1', 'host', '::1'],
    ['PATMINT_PORT', '1002', 'port', 1002],
    ['PATMINT_WORKERS', '4', 'workers', 4],
    ['PATMINT_TRUSTED_PROXIES', '192.0.2.0/24, ::/0,', 'trustedProxies', ['192.0.2.0/24', '::/0']],
    ['PATMINT_CLIENT_JWKS_ALLOWED_CIDRS', '10.0.0.0/8', 'clientJwksAllowedCidrs', ['10.0.0.0/8']],
    ['PATMINT_DATABASE_URL', 'postgresql://e@db/e', 'databaseUrl', 'postgresql://e@db/e'],
    ['PATMINT_DATABASE_POOL_SIZE', '5', 'databasePoolSize', 5],
    [
      'PATMINT_DATABASE_CONNECT_SECONDS',
      '9',
      'databaseTimeouts',
      { connectMs: 9000, lockMs: 6000, statementMs: 7000 },
    ],
    [
      'PATMINT_DATABASE_LOCK_SECONDS',
      '9',
      'databaseTimeouts',
      { connectMs: 5000, lockMs: 9000, statementMs: 7000 },
    ],
    [
      'PATMINT_DATABASE_STATEMENT_SECONDS',
      '9',
      'databaseTimeouts',
      { connectMs: 5000, lockMs: 6000, statementMs: 9000 },
    ],
    ['PATMINT_EXCHANGE_DEADLINE_SECONDS', '9', 'exchangeDeadlineMs', 9000],
    ['PATMINT_DATA_DIR', '/variable', 'dataDir', '/variable'],
    ['PATMINT_SECRET_KEY', variableKey, 'secretKeys', [decode(variableKey)]],
    ['PATMINT_APPLY', 'variable.yaml', 'applyFiles', ['variable.yaml']],
    ['PATMINT_BOOTSTRAP_PASSWORD', variablePassword, 'bootstrapPassword', variablePassword],
    ['PATMINT_KEY_ROTATION_DAYS', '1', 'signingKeys', { ...FILE_KEYS, rotationSeconds: 86_400 }],
    ['PATMINT_KEY_ROTATION_DAYS', '0', 'signingKeys', { ...FILE_KEYS, rotationSeconds: null }],
    ['PATMINT_KEY_POLL_SECONDS', '1', 'signingKeys', { ...FILE_KEYS, pollSeconds: 1 }],
    ['PATMINT_JWKS_MAX_AGE_SECONDS', '1', 'signingKeys', { ...FILE_KEYS, jwksMaxAgeSeconds: 1 }],
    ['PATMINT_LOG_LEVEL', 'debug', 'logLevel', 'debug'],
    ['PATMINT_CREDENTIAL_REUSE', 'flag', 'credentialReuse', 'flag'],
    ['PATMINT_DPOP_PROOF_SECONDS', '31', 'dpopProofSeconds', 31],
    ['PATMINT_DPOP_NONCE', 'off', 'dpopNonce', 'off'],
    ['PATMINT_FAILURE_WINDOW_SECONDS', '1', 'limits', { ...FILE_LIMITS, failureWindowSeconds: 1 }],
    ['PATMINT_FAILURES_PER_ADDRESS', '0', 'limits', { ...FILE_LIMITS, failuresPerAddress: 0 }],
    ['PATMINT_FAILURES_PER_CLIENT', '0', 'limits', { ...FILE_LIMITS, failuresPerClient: 0 }],
    ['PATMINT_FAILURES_PER_CREDENTIAL', '0', 'limits', { ...FILE_LIMITS, failuresPerCredential: 0 }],
    ['PATMINT_HASH_QUEUE_LIMIT', '1', 'limits', { ...FILE_LIMITS, hashQueue: 1 }],
    ['PATMINT_MAX_IN_FLIGHT', '1', 'limits', { ...FILE_LIMITS, inFlight: 1 }],
    ['PATMINT_KEEP_ALIVE_SECONDS', '620', 'keepAliveSeconds', 620],
    ['PATMINT_METRICS_HOST', '::', 'metricsHost', '::'],
    ['PATMINT_METRICS_PORT', '1003', 'metricsPort', 1003],
    ['PATMINT_METRICS_PORT', 'off', 'metricsPort', 'off'],
    ['PATMINT_OTLP_ENDPOINT', 'https://variable.example.com', 'otlpEndpoint', 'https://variable.example.com'],
    [
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'http://standard.example.com',
      'otlpEndpoint',
      'http://standard.example.com',
    ],
    ['PATMINT_TRACE_RATIO', '0.25', 'traceRatio', 0.25],
    ['PATMINT_STATUS_LIST_TTL_SECONDS', '90', 'statusLists', { ttlSeconds: 90, lifetimeSeconds: 180 }],
    ['PATMINT_STATUS_LIST_LIFETIME_SECONDS', '36', 'statusLists', { ttlSeconds: 18, lifetimeSeconds: 36 }],
  ] as const)('gives way to %s, and in nothing else', (variable, text, member, value) => {
    const { bootstrapToken: _, ...before } = load({ PATMINT_CONFIG: path })
    const { bootstrapToken, ...after } = load({ PATMINT_CONFIG: path, [variable]: text })
    expect(after).toEqual({ ...before, [member]: value })
    expect(bootstrapToken?.reveal()).toBe(fileToken)
  })

  it('gives way to PATMINT_BOOTSTRAP_TOKEN', () => {
    const config = load({ PATMINT_CONFIG: path, PATMINT_BOOTSTRAP_TOKEN: variableToken })
    expect(config.bootstrapToken?.reveal()).toBe(variableToken)
  })

  it('gives way to a variable of our own rather than to the standard one of the same meaning', () => {
    const variables = {
      PATMINT_OTLP_ENDPOINT: 'http://own.example.com:4318',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://standard.example.com:4318',
    }
    expect(load({ PATMINT_CONFIG: path, ...variables }).otlpEndpoint).toBe('http://own.example.com:4318')
  })

  it('gives way also where it is wrong', () => {
    const wrong = writeConfigFile('port: many')
    expect(load({ PATMINT_CONFIG: wrong, PATMINT_PORT: '1002' }).port).toBe(1002)
  })
})

describe('values', () => {
  it.each([0, 65_535])('port %i is one', (port) => {
    expect(load({ PATMINT_PORT: String(port) }).port).toBe(port)
  })

  it.each([1, 64])('%i workers are some', (workers) => {
    expect(load({ PATMINT_WORKERS: String(workers) }).workers).toBe(workers)
  })

  it('workers may be as many as there are cores, but 64 at most', () => {
    const cores = Math.min(availableParallelism(), 64)
    expect(load({ PATMINT_WORKERS: 'auto' }).workers).toBe(cores)
    expect(load({ PATMINT_CONFIG: writeConfigFile('workers: auto') }).workers).toBe(cores)
  })

  it('of several secret keys, the first comes first', () => {
    const { secretKeys } = load({ PATMINT_SECRET_KEY: `${variableKey},${fileKey}` })
    expect(secretKeys).toEqual([decode(variableKey), decode(fileKey)])
    expect(secretKeys?.map(({ length }) => length)).toEqual([32, 32])
  })

  it('of PATMINT_APPLY are separated by commas, with blanks around them or nothing between', () => {
    expect(load({ PATMINT_APPLY: 'a.yaml, b.yaml ,,c d.yaml,' }).applyFiles).toEqual([
      'a.yaml',
      'b.yaml',
      'c d.yaml',
    ])
  })

  it.each(['http://localhost:8693', 'https://sts.example.com', 'https://[::1]:8443'])(
    'issuer %s is one',
    (issuer) => {
      expect(load({ PATMINT_ISSUER: issuer }).issuer).toBe(issuer)
    },
  )
})

describe('a configuration', () => {
  // Bytes cannot be frozen, and a credential keeps its own.
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    Buffer.isBuffer(value) ||
    value instanceof PresentedCredential ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen))

  it('is frozen through and through, given or by default', () => {
    for (const config of [load({}), load({ PATMINT_CONFIG: writeConfigFile(FILE) })])
      expect(isFrozen(config)).toBe(true)
  })

  it('is not shared between two that were loaded', () => {
    expect(load({}).applyFiles).not.toBe(load({}).applyFiles)
  })

  it('does not print its bootstrap token', () => {
    const { bootstrapToken } = load({ PATMINT_BOOTSTRAP_TOKEN: variableToken })
    expect([String(bootstrapToken), JSON.stringify({ bootstrapToken })]).toEqual([
      '[redacted]',
      '{"bootstrapToken":"[redacted]"}',
    ])
  })
})

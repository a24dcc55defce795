// Configuration: file and environment in, one frozen value out, or every problem at once. Reads no secret from disk
// but the configuration file itself.

import { availableParallelism } from 'node:os'
import type { z } from 'zod'
import { type PresentedCredential, parseCredential } from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { type NoticeSettings, toNoticeSettings } from './notices.ts'
import { readConfigFile } from './read-file.ts'
import { type ConfigFile, configFileSchema, MAX_WORKERS } from './schema.ts'
import { type Environment, overlay, VARIABLES } from './variables.ts'

export type SecretKeys = readonly [Buffer, ...Buffer[]]
type Issue = z.core.$ZodIssue

export interface Limits {
  readonly failureWindowSeconds: number
  /** Failed attempts in a window; 0: no limit. */
  readonly failuresPerAddress: number
  readonly failuresPerClient: number
  readonly failuresPerCredential: number
  /** Hashes that may wait. */
  readonly hashQueue: number
  /** Requests that may work at once. */
  readonly inFlight: number
}

export interface Config {
  /** Undefined: `http://localhost:<port>` with the port that was bound. */
  readonly issuer: string | undefined
  readonly host: string
  readonly port: number
  /** Processes that serve; 1: this one. */
  readonly workers: number
  /** CIDR blocks of the proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[]
  /** Undefined: the embedded Postgres. */
  readonly databaseUrl: string | undefined
  /** Connections of each worker, at most. */
  readonly databasePoolSize: number
  /** While a request waits for the database. */
  readonly databaseTimeouts: {
    readonly connectMs: number
    readonly lockMs: number
    readonly statementMs: number
  }
  /** All an exchange waits for the database. */
  readonly exchangeDeadlineMs: number
  readonly dataDir: string
  /** Undefined: generated in the data folder. */
  readonly secretKeys: SecretKeys | undefined
  readonly applyFiles: readonly string[]
  readonly bootstrapToken: PresentedCredential | undefined
  readonly bootstrapPassword: string | undefined
  readonly signingKeys: {
    /** Null: they are rotated on demand alone. */
    readonly rotationSeconds: number | null
    /** How often a process looks for changes. */
    readonly pollSeconds: number
    /** How long verifiers may keep them. */
    readonly jwksMaxAgeSeconds: number
  }
  readonly logLevel: ConfigFile['log_level']
  /** What becomes of a family of credentials when one is used after its overlap. */
  readonly credentialReuse: ConfigFile['credential_reuse']
  /** How long after `iat` a DPoP proof is accepted. */
  readonly dpopProofSeconds: number
  /** Whether a DPoP proof must hold a nonce of ours. */
  readonly dpopNonce: ConfigFile['dpop_nonce']
  readonly metricsHost: string
  /** Undefined: 9464, or none when that is taken. */
  readonly metricsPort: number | 'off' | undefined
  /** Undefined: nothing is traced. */
  readonly otlpEndpoint: string | undefined
  /** Of the requests whose caller did not decide whether to trace them. */
  readonly traceRatio: number
  /** How long a status list is fresh, and how long it holds. */
  readonly statusLists: { readonly ttlSeconds: number; readonly lifetimeSeconds: number }
  readonly subjectTokenTypeAliases: readonly string[]
  /** What `jwks_uri` of a client may lead to although it is not public. */
  readonly clientJwksAllowedCidrs: readonly string[]
  readonly limits: Limits
  readonly keepAliveSeconds: number
  readonly credentialHash: { readonly memoryKib: number; readonly passes: number; readonly lanes: number }
  /** Undefined: nobody is told that a credential is about to end. */
  readonly notices: NoticeSettings | undefined
}

const DEFAULT_FILE = 'config/patmint.yaml'

/** Reads the configuration. Fails with one line per problem; nothing is started and nothing written. */
export function loadConfig(env: Environment): Result<Config, string[]> {
  const path = env['PATMINT_CONFIG'] || DEFAULT_FILE
  const file = readConfigFile(path, { mayBeMissing: !env['PATMINT_CONFIG'] })
  const content = file.ok ? file.value : {}
  let merged: unknown = content
  const origins = new Map(Object.keys(content).map((key) => [key, `${path}: ${key}`]))
  for (const [variable, [key, convert]] of Object.entries(VARIABLES)) {
    const [top = '', ...below] = key.split('.')
    const text = env[variable]
    // An empty variable counts as unset: compose files and CI systems cannot express "unset".
    if (text) merged = overlay(merged, [top, ...below], convert(text))
    // A key nobody gave is asked for by its variable.
    if (text || (file.ok && !origins.has(top))) origins.set(key, variable)
  }
  const parsed = configFileSchema.safeParse(merged)
  if (file.ok && parsed.success) return ok(toConfig(parsed.data))
  const problems = parsed.error?.issues.flatMap((issue) => describeIssue(issue, path, origins)) ?? []
  // Several wrong parts of a variable read alike: once is enough.
  return fail([...new Set([...(file.ok ? [] : file.error), ...problems])])
}

/** One line per problem. A problem of a key without an origin is one of the file that could not be read. */
function describeIssue(issue: Issue, file: string, origins: ReadonlyMap<string, string>): string[] {
  const [key, ...rest] = issue.path.map(String)
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((name) => `${file}: ${[...issue.path, name].join('.')} is not a known key`)
  const origin = origins.get(issue.path.join('.')) ?? origins.get(key ?? '')
  if (origin === undefined) return []
  // A part of a list given in a variable has no name of its own.
  const name = origin.startsWith(file) ? [origin, ...rest].join('.') : origin
  return [`${name} ${issue.message}`]
}

function parseSecretKeys(text: string): SecretKeys {
  const [first = '', ...rest] = text.split(',')
  const decode = (key: string): Buffer => Buffer.from(key, 'base64url')
  return Object.freeze([decode(first), ...rest.map(decode)] as const)
}

function toConfig(file: ConfigFile): Config {
  const { memory_kib: memoryKib, passes, lanes } = file.credential_hash
  return Object.freeze({
    issuer: file.issuer,
    host: file.host,
    port: file.port,
    workers: file.workers === 'auto' ? Math.min(availableParallelism(), MAX_WORKERS) : file.workers,
    trustedProxies: Object.freeze(file.trusted_proxies),
    databaseUrl: file.database_url,
    databasePoolSize: file.database_pool_size,
    databaseTimeouts: Object.freeze({
      connectMs: file.database_connect_seconds * 1000,
      lockMs: file.database_lock_seconds * 1000,
      statementMs: file.database_statement_seconds * 1000,
    }),
    exchangeDeadlineMs: file.exchange_deadline_seconds * 1000,
    dataDir: file.data_dir,
    secretKeys: file.secret_key === undefined ? undefined : parseSecretKeys(file.secret_key),
    applyFiles: Object.freeze(file.apply),
    bootstrapToken: file.bootstrap_token === undefined ? undefined : parseCredential(file.bootstrap_token),
    bootstrapPassword: file.bootstrap_password,
    signingKeys: toSigningKeys(file),
    logLevel: file.log_level,
    credentialReuse: file.credential_reuse,
    dpopProofSeconds: file.dpop_proof_seconds,
    dpopNonce: file.dpop_nonce,
    metricsHost: file.metrics_host,
    metricsPort: file.metrics_port,
    otlpEndpoint: file.otlp_endpoint,
    traceRatio: file.trace_ratio,
    statusLists: Object.freeze({
      ttlSeconds: file.status_list_ttl_seconds,
      lifetimeSeconds: file.status_list_lifetime_seconds,
    }),
    subjectTokenTypeAliases: Object.freeze(file.subject_token_type_aliases),
    clientJwksAllowedCidrs: Object.freeze(file.client_jwks_allowed_cidrs),
    limits: toLimits(file),
    keepAliveSeconds: file.keep_alive_seconds,
    credentialHash: Object.freeze({ memoryKib, passes, lanes }),
    notices: toNoticeSettings(file.notices),
  })
}

const toSigningKeys = (file: ConfigFile): Config['signingKeys'] =>
  Object.freeze({
    rotationSeconds: file.key_rotation_days === 0 ? null : file.key_rotation_days * 86_400,
    pollSeconds: file.key_poll_seconds,
    jwksMaxAgeSeconds: file.jwks_max_age_seconds,
  })

const toLimits = (file: ConfigFile): Limits =>
  Object.freeze({
    failureWindowSeconds: file.failure_window_seconds,
    failuresPerAddress: file.failures_per_address,
    failuresPerClient: file.failures_per_client,
    failuresPerCredential: file.failures_per_credential,
    hashQueue: file.hash_queue_limit,
    inFlight: file.max_in_flight,
  })

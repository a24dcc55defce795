// Configuration: file and environment in, one frozen value out, or every problem at once. Reads no secret from disk
// but the configuration file itself; the only place that knows the names of environment variables.

import { readFileSync } from 'node:fs'
import { parse as parseYaml } from 'yaml'
import { type PresentedCredential, parseCredential } from '../../protocol/credential.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { type ConfigFile, configFileSchema } from './schema.ts'

export type Environment = Readonly<Record<string, string | undefined>>
export type SecretKeys = readonly [Buffer, ...Buffer[]]

export interface Config {
  /** Undefined: `http://localhost:<port>` with the port that was bound. */
  readonly issuer: string | undefined
  readonly host: string
  readonly port: number
  /** Undefined: the embedded Postgres. */
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  /** Undefined: generated in the data folder. */
  readonly secretKeys: SecretKeys | undefined
  readonly applyFiles: readonly string[]
  readonly bootstrapToken: PresentedCredential | undefined
  readonly bootstrapPassword: string | undefined
  readonly logLevel: ConfigFile['log_level']
  readonly subjectTokenTypeAliases: readonly string[]
  readonly credentialHash: { readonly memoryKib: number; readonly passes: number; readonly lanes: number }
}

const DEFAULT_FILE = 'config/patmint.yaml'

/** Environment variable of each key, and how its text becomes the key's value. */
const VARIABLES = {
  PATMINT_ISSUER: ['issuer', asText],
  PATMINT_HOST: ['host', asText],
  PATMINT_PORT: ['port', asNumber],
  PATMINT_DATABASE_URL: ['database_url', asText],
  PATMINT_DATA_DIR: ['data_dir', asText],
  PATMINT_SECRET_KEY: ['secret_key', asText],
  PATMINT_APPLY: ['apply', asList],
  PATMINT_BOOTSTRAP_TOKEN: ['bootstrap_token', asText],
  PATMINT_BOOTSTRAP_PASSWORD: ['bootstrap_password', asText],
  PATMINT_LOG_LEVEL: ['log_level', asText],
} as const satisfies Record<string, readonly [keyof ConfigFile, (text: string) => unknown]>

function asText(text: string): unknown {
  return text
}

function asNumber(text: string): unknown {
  return /^\d+$/.test(text) ? Number(text) : text
}

function asList(text: string): unknown {
  return text.split(',').map((part) => part.trim())
}

/** Reads the configuration. Fails with one line per problem; nothing is started and nothing written. */
export function loadConfig(env: Environment): Result<Config, string[]> {
  const path = env['PATMINT_CONFIG'] || DEFAULT_FILE
  const file = readConfigFile(path, Boolean(env['PATMINT_CONFIG']))
  if (!file.ok) return file
  const merged: Record<string, unknown> = { ...file.value }
  const origins = new Map<string, string>()
  for (const [variable, [key, convert]] of Object.entries(VARIABLES)) {
    const text = env[variable]
    // An empty variable counts as unset: compose files and CI systems cannot express "unset".
    if (!text) continue
    merged[key] = convert(text)
    origins.set(key, variable)
  }
  const parsed = configFileSchema.safeParse(merged)
  if (parsed.success) return ok(toConfig(parsed.data))
  return fail(
    parsed.error.issues.map(({ path: keys, message }) => {
      const key = keys.join('.')
      const origin = origins.get(String(keys[0])) ?? (key ? `${path}: ${key}` : path)
      return `${origin} ${message}`
    }),
  )
}

function readConfigFile(path: string, named: boolean): Result<Record<string, unknown>, string[]> {
  try {
    const content: unknown = parseYaml(readFileSync(path, 'utf8')) ?? {}
    return typeof content === 'object' && !Array.isArray(content)
      ? ok(content as Record<string, unknown>)
      : fail([`${path} must hold keys and values`])
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && !named) return ok({})
    return fail([
      code === 'ENOENT' ? `PATMINT_CONFIG ${path} does not exist` : `${path} cannot be read: ${message}`,
    ])
  }
}

function parseSecretKeys(text: string): SecretKeys {
  const [first = '', ...rest] = text.split(',')
  return [Buffer.from(first, 'base64url'), ...rest.map((key) => Buffer.from(key, 'base64url'))]
}

function toConfig(file: ConfigFile): Config {
  const { memory_kib: memoryKib, passes, lanes } = file.credential_hash
  return Object.freeze({
    issuer: file.issuer,
    host: file.host,
    port: file.port,
    databaseUrl: file.database_url,
    dataDir: file.data_dir,
    secretKeys: file.secret_key === undefined ? undefined : parseSecretKeys(file.secret_key),
    applyFiles: Object.freeze(file.apply),
    bootstrapToken: file.bootstrap_token === undefined ? undefined : parseCredential(file.bootstrap_token),
    bootstrapPassword: file.bootstrap_password,
    logLevel: file.log_level,
    subjectTokenTypeAliases: Object.freeze(file.subject_token_type_aliases),
    credentialHash: Object.freeze({ memoryKib, passes, lanes }),
  })
}

// The real server, as an operator would run it: `patmint-server serve` in production mode, with a database, a secret
// key and a declarative file.

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Config, loadConfig, type SecretKeys } from '../../../src/server/config/config.ts'
import { type NodeProcess, startNodeProcess } from './node-process.ts'

export interface Server extends NodeProcess {
  readonly databaseUrl: string
  readonly secretKeys: SecretKeys
  readonly credentialHash: Config['credentialHash']
  /** Of the confidential client `CLIENT`. */
  readonly clientSecret: string
}

// Names in `directory.yaml`.
export const ORGANIZATION = 'acme'
export const ROLE = 'analyst'
export const CLIENT = 'bench'

const DIRECTORY = fileURLToPath(new URL('./directory.yaml', import.meta.url))

export interface ServerOptions {
  /** Where it may write; made when missing. */
  readonly dir: string
  readonly databaseUrl: string
  readonly settings: Readonly<Record<string, string>>
}

/** Starts a server on a free port. */
export async function startServer({ dir, databaseUrl, settings }: ServerOptions): Promise<Server> {
  mkdirSync(dir, { mode: 0o700 })
  const clientSecret = randomBytes(24).toString('base64url')
  const variables = {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_PORT: '0',
    // Two servers are up at once, and perhaps another one on this machine.
    PATMINT_METRICS_PORT: '0',
    PATMINT_DATABASE_URL: databaseUrl,
    PATMINT_DATA_DIR: join(dir, 'data'),
    PATMINT_SECRET_KEY: randomBytes(32).toString('base64url'),
    PATMINT_APPLY: DIRECTORY,
    BENCH_CLIENT_SECRET: clientSecret,
    ...settings,
  }
  const { secretKeys, credentialHash } = readConfig(variables)
  const server = await startNodeProcess({
    script: '../../../src/server/main.ts',
    args: ['serve'],
    variables,
    logFile: join(dir, 'log'),
  })
  return { ...server, databaseUrl, secretKeys, credentialHash, clientSecret }
}

/** What the server will make of its environment, so that seeded rows are its own. */
function readConfig(
  variables: Readonly<Record<string, string>>,
): Pick<Server, 'secretKeys' | 'credentialHash'> {
  const config = loadConfig(variables)
  if (!config.ok) throw new Error(config.error.join('\n'))
  const { secretKeys, credentialHash } = config.value
  if (!secretKeys) throw new Error('the secret key was given and not read')
  return { secretKeys, credentialHash }
}

// The real server, as an operator would run it: `patmint-server serve` in production mode, with a database, a secret
// key and a declarative file.

import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, loadConfig, type SecretKeys } from '../../../src/server/config/config.ts'
import { AUDIENCE, SCOPE } from '../load/requests.ts'
import { type NodeProcess, startNodeProcess } from './node-process.ts'

export interface Server extends NodeProcess {
  readonly databaseUrl: string
  readonly secretKeys: SecretKeys
  readonly credentialHash: Config['credentialHash']
}

export const ORGANIZATION = 'acme'
export const ROLE = 'analyst'

const DECLARATIVE = JSON.stringify({
  resource_servers: [{ audience: AUDIENCE, name: 'API', scopes: { [SCOPE]: 'Read models' } }],
  organizations: [{ slug: ORGANIZATION, name: 'Acme' }],
  roles: [{ organization: ORGANIZATION, name: ROLE, permissions: [{ audience: AUDIENCE, scopes: [SCOPE] }] }],
})

/** Starts a server on a free port and a database of its own. */
export async function startServer(dir: string, name: string, databaseUrl: string): Promise<Server> {
  const declarative = join(dir, 'directory.yaml')
  writeFileSync(declarative, DECLARATIVE)
  const variables = {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_PORT: '0',
    PATMINT_DATABASE_URL: databaseUrl,
    PATMINT_DATA_DIR: join(dir, name),
    PATMINT_SECRET_KEY: randomBytes(32).toString('base64url'),
    PATMINT_APPLY: declarative,
  }
  const config = loadConfig(variables)
  if (!config.ok) throw new Error(config.error.join('\n'))
  const { secretKeys, credentialHash } = config.value
  if (!secretKeys) throw new Error('the secret key was given and not read')
  const server = await startNodeProcess({
    script: '../../../src/server/main.ts',
    args: ['serve'],
    variables,
    logFile: join(dir, `${name}.log`),
  })
  return { ...server, databaseUrl, secretKeys, credentialHash }
}

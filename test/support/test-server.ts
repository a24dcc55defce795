// The real server inside the test process, for tests that count its queries or choose its clock.

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { generateCredential } from '../../src/protocol/credential.ts'
import { composeServer } from '../../src/server/compose.ts'
import type { Load } from '../../src/server/compose-limits.ts'
import { loadConfig } from '../../src/server/config/config.ts'
import { type Database, type DatabaseOptions, openDatabase } from '../../src/server/db/database.ts'
import { migrate } from '../../src/server/db/migrator.ts'
import { createLogger } from '../../src/server/http/log.ts'
import { createListener, LISTENER_LIMITS } from '../../src/server/http/server.ts'
import { measureQuery } from '../../src/server/instrument.ts'
import { applyRecorded, readFiles, resolveSecretKeys } from '../../src/server/operator.ts'
import { prepareDatabase } from '../../src/server/prepare-database.ts'
import { currentTraceId } from '../../src/server/telemetry/active-trace.ts'
import { NO_TELEMETRY, type Telemetry } from '../../src/server/telemetry/telemetry.ts'
import { canary, logFile } from './evidence.ts'
import { newDataDir, newSecretKey } from './server-process.ts'
import { createTestDatabase } from './test-database.ts'

export interface TestServer {
  readonly url: string
  readonly issuer: string
  readonly db: Database
  /** PAT of the platform admin. */
  readonly adminToken: string
  /** SQL the server ran since the last call. */
  readonly takeQueries: () => string[]
  readonly readLoad: () => Load
  readonly setClock: (clock: () => Date) => void
  /** Where it logs, at debug level. */
  readonly logPath: string
  readonly apply: (files: readonly string[], env?: Record<string, string>) => Promise<string[]>
  readonly stop: () => Promise<void>
}

export const ISSUER = 'https://sts.example.test'
/** In every challenge of the management API (RFC 9728 section 5.1). */
export const RESOURCE_METADATA = `resource_metadata="${ISSUER}/.well-known/oauth-protected-resource/api"`

/** Most tests fail on purpose, and all of them from one address. */
export const UNLIMITED_FAILURES = {
  PATMINT_FAILURES_PER_ADDRESS: '0',
  PATMINT_FAILURES_PER_CLIENT: '0',
  PATMINT_FAILURES_PER_CREDENTIAL: '0',
}

/** Starts a server on a database of its own. Its issuer is not where it listens, as behind a proxy. */
export async function startTestServer(
  variables: Record<string, string> = {},
  telemetry: Telemetry = NO_TELEMETRY,
): Promise<TestServer> {
  const databaseUrl = variables['PATMINT_DATABASE_URL'] ?? (await createTestDatabase())
  const adminToken = canary(generateCredential('personal', randomBytes).reveal())
  const env = {
    PATMINT_CONFIG: '/dev/null',
    PATMINT_ISSUER: ISSUER,
    PATMINT_DATABASE_URL: databaseUrl,
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_DATA_DIR: newDataDir(),
    PATMINT_BOOTSTRAP_TOKEN: adminToken,
    // The looks of the key ring are statements as well, and tests count those.
    PATMINT_KEY_POLL_SECONDS: '300',
    ...UNLIMITED_FAILURES,
    ...variables,
  }
  const config = loadConfig(env)
  if (!config.ok) throw new Error(config.error.join('\n'))
  await migrate(databaseUrl)
  let queries: string[] = []
  let clock = (): Date => new Date()
  const logPath = logFile(`in-process-${randomBytes(4).toString('hex')}`)
  const log = createLogger('debug', pino.destination({ dest: logPath, sync: true }), currentTraceId)
  const open = (options: Partial<DatabaseOptions>): Database =>
    openDatabase({
      url: databaseUrl,
      timeouts: config.value.databaseTimeouts,
      onQuery: (event) => {
        queries.push(event.query.sql)
        if (telemetry.meter) measureQuery(telemetry.meter, event)
      },
      ...options,
    })
  const db = open({ onOpen: (pool) => telemetry.meter?.watch({ pool }) })
  const exchangeDb = open({ keepsPlans: true })
  const context = { config: config.value, env, log, clock: () => clock() }
  const secretKeys = resolveSecretKeys(config.value)
  const issuer = config.value.issuer ?? ISSUER
  const options = { ...context, issuer, db, exchangeDb, secretKeys, telemetry }
  const upkeep = await prepareDatabase(options)
  const server = await composeServer(options)
  const limits = { ...LISTENER_LIMITS, keepAliveMs: config.value.keepAliveSeconds * 1000 }
  const http = createListener(limits, server.handle)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  queries = []
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    issuer,
    db,
    adminToken,
    logPath,
    readLoad: server.readLoad,
    takeQueries: () => queries.splice(0),
    setClock: (next) => {
      clock = next
    },
    apply: async (files, extra = {}) =>
      applyRecorded(context, db, readFiles({ ...context, env: { ...env, ...extra } }, files)),
    stop: async () => {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
      await Promise.all([upkeep.stop(), server.drain()])
      await Promise.all([db.destroy(), exchangeDb.destroy()])
      await telemetry.stop()
    },
  }
}

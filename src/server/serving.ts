// The steps that serving by one process and by several share: open the database, do what is done once for it, say that
// it is done, and end in time.

import type { Foundation, ServerOptions } from './compose.ts'
import { installNotices, startNotices } from './compose-notices.ts'
import {
  type Database,
  type DatabaseOptions,
  openDatabase,
  PATIENT_TIMEOUTS,
  type PoolState,
} from './db/database.ts'
import type { DeclarativeFile } from './directory/apply/read-file.ts'
import type { Logger } from './http/log.ts'
import { measureQuery } from './instrument.ts'
import { applyRecorded, migrateDatabase, type OperatorContext, resolveSecretKeys } from './operator.ts'
import { prepareDatabase, type Upkeep } from './prepare-database.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface ServingContext extends OperatorContext {
  readonly issuer: string
  readonly databaseUrl: string
  readonly telemetry: Telemetry
}

/** All of the stop but the embedded database's: orchestrators kill after 10 s. */
export const STOP_MS = 9000

/** For what nobody waits for: what is done once, and the upkeep. */
const UPKEEP_CONNECTIONS = 2

/** As many as exchanges make use of: two to read on, one to record on. */
const EXCHANGE_CONNECTIONS = 3

/** Opens the database to serve from: by `database_pool_size` connections, some of them for exchanges alone. */
export function openServing(context: ServingContext): ServerOptions {
  const { databasePoolSize, databaseTimeouts: timeouts } = context.config
  const ofExchanges = Math.min(EXCHANGE_CONNECTIONS, databasePoolSize - 1)
  const pools: (() => PoolState)[] = []
  const onOpen = (readPool: () => PoolState): unknown => pools.push(readPool)
  const open = (options: Partial<DatabaseOptions>): Database =>
    openLogged(context, { timeouts, onOpen, ...options })
  const db = open({ maxConnections: databasePoolSize - ofExchanges })
  const exchangeDb = open({ maxConnections: ofExchanges, keepsPlans: true })
  context.telemetry.meter?.watch({ pool: () => pools.map((readPool) => readPool()).reduce(addPools) })
  return { ...layFoundation(context, db), exchangeDb }
}

export async function closeServing({ db, exchangeDb }: ServerOptions): Promise<void> {
  await Promise.all([db.destroy(), exchangeDb.destroy()])
}

const addPools = (one: PoolState, other: PoolState): PoolState => ({
  total: one.total + other.total,
  idle: one.idle + other.idle,
  waiting: one.waiting + other.waiting,
})

const layFoundation = (context: ServingContext, db: Database): Foundation => {
  const { config, issuer, log, clock, telemetry } = context
  return { config, issuer, db, secretKeys: resolveSecretKeys(config), log, clock, telemetry }
}

/** Opens the database, and logs and measures what happens on its connections. */
export function openLogged(
  { databaseUrl, log, telemetry }: ServingContext,
  options: Partial<DatabaseOptions>,
): Database {
  const { meter } = telemetry
  return openDatabase({
    url: databaseUrl,
    onConnectionError: (error) => log.warn({ err: error }, 'database connection lost'),
    onQuery: (event) => {
      if (meter) measureQuery(meter, event)
      const { level, queryDurationMillis, query } = event
      log.debug({ outcome: level, durationMs: queryDurationMillis, sql: query.sql }, 'query')
    },
    ...options,
  })
}

/** What one process does, however many serve: migrates, prepares the database and applies what was declared. */
export async function establish(
  context: ServingContext,
  declared: readonly DeclarativeFile[],
): Promise<Upkeep> {
  await migrateDatabase(context.databaseUrl)
  await installNotices(context.config, context.databaseUrl)
  // Instances that start together wait for one another, and so does an apply for another one.
  const db = openLogged(context, { maxConnections: UPKEEP_CONNECTIONS, timeouts: PATIENT_TIMEOUTS })
  const upkeep = await prepareDatabase(layFoundation(context, db))
  if (declared.length > 0)
    context.log.info({ changes: await applyRecorded(context, db, declared) }, 'applied')
  const notices = await startNotices(layFoundation(context, db), context.databaseUrl)
  return {
    stop: async () => {
      await Promise.all([upkeep.stop(), notices.stop()])
      await db.destroy()
    },
  }
}

/** The line others wait for; printed whatever the log level is. */
export function announce({ config, log, issuer }: ServingContext, port: number): void {
  const { host, workers } = config
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  log.child({}, { level: 'info' }).info({ url, issuer, workers }, 'listening')
}

/** Runs the steps of a stop, and leaves them where they are when they take longer than `deadlineMs`. */
export async function withinDeadline(
  log: Logger,
  deadlineMs: number,
  steps: () => Promise<void>,
): Promise<void> {
  const { promise: struck, resolve: strike } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    log.error({ deadlineMs }, 'stopping took too long: what is left is abandoned')
    strike()
  }, deadlineMs)
  await Promise.race([steps(), struck]).finally(() => clearTimeout(timer))
}

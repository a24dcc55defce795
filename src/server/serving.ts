// The steps that serving by one process and by several share: open the database, do what is done once for it, say that
// it is done, and end in time.

import type { ServerOptions } from './compose.ts'
import { openDatabase, PATIENT_TIMEOUTS, type Timeouts } from './db/database.ts'
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

/** Opens the database with up to `maxConnections`, and logs what happens on them. */
export function openServing(
  context: ServingContext,
  maxConnections: number,
  timeouts: Timeouts = context.config.databaseTimeouts,
): ServerOptions {
  const { config, issuer, log, clock, databaseUrl, telemetry } = context
  const { meter } = telemetry
  const db = openDatabase({
    url: databaseUrl,
    maxConnections,
    timeouts,
    onConnectionError: (error) => log.warn({ err: error }, 'database connection lost'),
    onOpen: (pool) => meter?.watch({ pool }),
    onQuery: (event) => {
      if (meter) measureQuery(meter, event)
      const { level, queryDurationMillis, query } = event
      log.debug({ outcome: level, durationMs: queryDurationMillis, sql: query.sql }, 'query')
    },
  })
  return { config, issuer, db, secretKeys: resolveSecretKeys(config), log, clock, telemetry }
}

/** What one process does, however many serve: migrates, prepares the database and applies what was declared. */
export async function establish(
  context: ServingContext,
  declared: readonly DeclarativeFile[],
  maxConnections: number,
): Promise<{ options: ServerOptions; upkeep: Upkeep }> {
  await migrateDatabase(context.databaseUrl)
  // Instances that start together wait for one another, and so does an apply for another one.
  const patient = openServing(context, UPKEEP_CONNECTIONS, PATIENT_TIMEOUTS)
  const upkeep = await prepareDatabase(patient)
  if (declared.length > 0)
    context.log.info({ changes: await applyRecorded(context, patient.db, declared) }, 'applied')
  const stop = async (): Promise<void> => {
    await upkeep.stop()
    await patient.db.destroy()
  }
  return { options: openServing(context, maxConnections), upkeep: { stop } }
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

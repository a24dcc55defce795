// The connection pool and the query builder on it. Knows how to reach Postgres, and how to notice that a connection
// leads nowhere any more; nothing of what is stored.

import { Kysely, type LogEvent, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { Connections } from './connections.ts'
import { nameStatements } from './prepared.ts'
import type { Tables } from './tables.ts'
import { TimeLimitPassed } from './time-limit.ts'

export type Database = Kysely<Tables>
/** A database or a transaction on it: what a store's function takes when its caller may want atomicity. */
export type Queryable = Database | Transaction<Tables>

export type QueryEvent = LogEvent

/** How long to wait; 0: for ever. */
export interface Timeouts {
  /** For a connection, one that comes free or a new one. */
  readonly connectMs: number
  /** For what others have locked. */
  readonly lockMs: number
  /** For a statement, with its locks; Postgres ends it then. */
  readonly statementMs: number
}

/** While somebody waits for an answer. */
export const REQUEST_TIMEOUTS: Timeouts = { connectMs: 3000, lockMs: 3000, statementMs: 4000 }
/** While nobody does: at the start, in the background, and in commands. */
export const PATIENT_TIMEOUTS: Timeouts = { connectMs: 5000, lockMs: 60_000, statementMs: 60_000 }
/** Migrations take the time they take. */
export const MIGRATION_TIMEOUTS: Timeouts = { connectMs: 5000, lockMs: 0, statementMs: 0 }

export interface DatabaseOptions {
  readonly url: string
  readonly maxConnections?: number
  /** `REQUEST_TIMEOUTS` unless told. */
  readonly timeouts?: Timeouts
  /**
   * Whether statements that are prepared keep the plan they once got. Postgres would go on planning those that list few
   * ids anew, which takes three times as long as to run them.
   */
  readonly keepsPlans?: boolean
  readonly onConnectionError?: (error: Error) => void
  readonly onQuery?: (event: QueryEvent) => void
  /** Given a way to ask how busy the pool is. */
  readonly onOpen?: (readPool: () => PoolState) => void
}

export interface PoolState {
  readonly total: number
  readonly idle: number
  /** Who waits for a connection. */
  readonly waiting: number
}

/** Postgres answers a statement that takes too long; no answer this much later means that nobody is there. */
const ANSWER_GRACE_MS = 500
/** A server that vanished between two statements of a transaction must not keep its locks. */
const IDLE_TRANSACTION_MS = 10_000
const KEEP_ALIVE_AFTER_MS = 10_000
const MAX_CONNECTIONS = 10

/** Counters and durations fit 53 bits; Postgres' 64-bit integers come back as strings otherwise. */
const types = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
}

export function openDatabase(options: DatabaseOptions): Database {
  const connections = new Connections()
  const pool = connections.openPool({
    connectionString: options.url,
    application_name: 'patmint',
    max: options.maxConnections ?? MAX_CONNECTIONS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    ...toSettings(options.timeouts ?? REQUEST_TIMEOUTS),
    types,
    ...(options.keepsPlans ? { onConnect: keepPlans } : {}),
  })
  // A connection that breaks must not end the process, neither while idle nor in the middle of a statement: the
  // statement fails by itself, and the pool replaces the connection.
  pool.on('error', (error) => options.onConnectionError?.(error))
  options.onOpen?.(() => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }))
  pool.on('connect', (client) => {
    client.on('error', () => {})
    nameStatements(client)
  })
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log: async (event) => {
      options.onQuery?.(event)
      if (event.level !== 'error') return
      if (isReadOnly(event.error)) connections.retire()
      // After a failover the idle ones are just as dead. The statement fails once they are gone, so that whoever tries
      // again meets a new one.
      if (isUnanswered(event.error)) await connections.destroy()
    },
  })
}

/** Not as a parameter of the connection: poolers in between refuse those they do not know. */
async function keepPlans(client: pg.ClientBase): Promise<void> {
  await client.query('set plan_cache_mode = force_generic_plan')
}

/** As pg names them. It takes 0 for no limit, and so does Postgres. */
export const toSettings = ({ connectMs, lockMs, statementMs }: Timeouts) => ({
  connectionTimeoutMillis: connectMs,
  lock_timeout: lockMs,
  statement_timeout: statementMs,
  query_timeout: statementMs > 0 ? statementMs + ANSWER_GRACE_MS : 0,
  idle_in_transaction_session_timeout: statementMs > 0 ? IDLE_TRANSACTION_MS : 0,
})

export const isUnanswered = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout'

/** A session that was opened while the database only read goes on doing so when that is over. */
export const isReadOnly = (error: unknown): boolean => error instanceof Error && codeOf(error) === '25006'

const codeOf = (error: Error): unknown => (error as { code?: unknown }).code

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
])
/**
 * SQLSTATE classes: 08 connection, but not 08P01, which is a statement of ours that breaks the protocol; 28 not let in;
 * 40 rolled back, to end a deadlock for example; 53 resources; 57 operator intervention (shutdown, timeout). 25006
 * read-only, 25P03 idle for too long in a transaction, 3D000 no such database, 55P03 a lock that was not to be had.
 */
const AWAY_SQLSTATE = /^(08(?!P01)|28|40|53|57)|^(25006|25P03|3D000|55P03)$/
const POOL_MESSAGES =
  /timeout exceeded when trying to connect|timeout expired|Query read timeout|Connection terminated|is not queryable/

/** Whether an error says that the database is away or overloaded, rather than that our statement is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof TimeLimitPassed) return true
  const code = codeOf(error)
  if (typeof code === 'string' && (CONNECTION_CODES.has(code) || AWAY_SQLSTATE.test(code))) return true
  return POOL_MESSAGES.test(error.message) || isDatabaseAway(error.cause)
}

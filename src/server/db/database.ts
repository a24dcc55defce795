// The connection pool and the query builder on it. Knows how to reach Postgres, and how to notice that a connection
// leads nowhere any more; nothing of what is stored.

import { Socket } from 'node:net'
import { Kysely, type LogEvent, PostgresDialect, sql, type Transaction } from 'kysely'
import pg from 'pg'
import { nameStatements } from './prepared.ts'
import type { Tables } from './tables.ts'

export type Database = Kysely<Tables>
/** A database or a transaction on it: what a store's function takes when its caller may want atomicity. */
export type Queryable = Database | Transaction<Tables>

export type QueryEvent = LogEvent

export interface DatabaseOptions {
  readonly url: string
  readonly maxConnections?: number
  /** 0: no limit, for migrations. */
  readonly statementTimeoutMs?: number
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

const POOL_WAIT_MS = 3000
const STATEMENT_TIMEOUT_MS = 5000
/** Postgres answers a statement that takes too long; no answer this much later means that nobody is there. */
const ANSWER_GRACE_MS = 1000
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
  const sockets = new Set<Socket>()
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: 'patmint',
    max: options.maxConnections ?? MAX_CONNECTIONS,
    connectionTimeoutMillis: POOL_WAIT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    ...timeouts(options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS),
    stream: () => openSocket(sockets),
    types,
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
      // The pool would hand the connection out again, and after a failover the idle ones are just as dead. The
      // statement fails once they are gone, so that whoever tries again meets a new one.
      if (event.level === 'error' && isUnanswered(event.error)) await destroyAll(sockets)
    },
  })
}

const timeouts = (statementMs: number) =>
  statementMs > 0 ? { statement_timeout: statementMs, query_timeout: statementMs + ANSWER_GRACE_MS } : {}

function openSocket(open: Set<Socket>): Socket {
  const socket = new Socket()
  open.add(socket)
  return socket.once('close', () => open.delete(socket))
}

async function destroyAll(sockets: ReadonlySet<Socket>): Promise<void> {
  const closing = Array.from(sockets, (socket) => new Promise((resolve) => socket.once('close', resolve)))
  for (const socket of sockets) socket.destroy()
  await Promise.all(closing)
}

const isUnanswered = (error: unknown): boolean =>
  error instanceof Error && error.message === 'Query read timeout'

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
 * read-only, 3D000 no such database.
 */
const AWAY_SQLSTATE = /^(08(?!P01)|28|40|53|57)|^(25006|3D000)$/
const POOL_MESSAGES =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error/

/** Whether an error says that the database is away or overloaded, rather than that our statement is wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && (CONNECTION_CODES.has(code) || AWAY_SQLSTATE.test(code))) return true
  return POOL_MESSAGES.test(error.message) || isDatabaseAway(error.cause)
}

/** Whether the database answers now. */
export const isReachable = (db: Database): Promise<boolean> =>
  sql`select 1`.execute(db).then(
    () => true,
    () => false,
  )

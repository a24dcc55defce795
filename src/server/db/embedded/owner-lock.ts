// The lock that makes one server the owner of the cluster: a session-level advisory lock, which Postgres
// itself releases when the server holding it is gone, however it went.

import { Client } from 'pg'
import { SUPERUSER } from './cluster.ts'
import { readErrorCode } from './embedded-postgres-error.ts'

export interface Endpoint {
  readonly port: number
  readonly password: string
}

export type LockOutcome =
  | { readonly state: 'held'; readonly client: Client }
  | { readonly state: 'taken' }
  | { readonly state: 'refused'; readonly cause: unknown }
  | { readonly state: 'not_ready'; readonly cause: unknown }

/** Any number would do: nobody else takes locks in the superuser's own database. */
const LOCK_KEY = 8693
const CONNECT_TIMEOUT_MS = 5_000
const LOCK_NOT_AVAILABLE = '55P03'
const INVALID_AUTHORIZATION_CLASS = '28'

/** Connects and takes the lock, waiting for it up to `waitMs`. The connection that comes back holds it. */
export async function takeOwnerLock(endpoint: Endpoint, waitMs: number): Promise<LockOutcome> {
  const client = new Client({
    host: '127.0.0.1',
    port: endpoint.port,
    user: SUPERUSER,
    password: endpoint.password,
    database: SUPERUSER,
    ssl: false,
    application_name: 'patmint owner',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  // Without a listener a dying connection would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(`set lock_timeout = ${waitMs}`)
    await client.query('select pg_advisory_lock($1)', [LOCK_KEY])
    await client.query('set lock_timeout = 0')
    return { state: 'held', client }
  } catch (cause) {
    await client.end().catch(() => {})
    return describeRefusal(cause)
  }
}

function describeRefusal(cause: unknown): LockOutcome {
  const code = readErrorCode(cause) ?? ''
  if (code === LOCK_NOT_AVAILABLE) return { state: 'taken' }
  return { state: code.startsWith(INVALID_AUTHORIZATION_CLASS) ? 'refused' : 'not_ready', cause }
}

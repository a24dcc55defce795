// Connections for a library that brings its own SQL: it hands over text and values, several statements in a text at times.

import type { QueryResultRow } from 'pg'
import { Connections } from './connections.ts'
import { type DatabaseOptions, isReadOnly, isUnanswered, PATIENT_TIMEOUTS, toSettings } from './database.ts'

export interface StatementPool {
  /** A connection whose statement fails is not used again: it may be left in a transaction. */
  readonly run: (text: string, values?: unknown[]) => Promise<{ rows: QueryResultRow[] }>
  readonly close: () => Promise<void>
}

export type StatementPoolOptions = Pick<DatabaseOptions, 'url' | 'onConnectionError'> & {
  readonly maxConnections: number
}

/** Opens nothing before the first statement. */
export function openStatementPool(options: StatementPoolOptions): StatementPool {
  const { url, maxConnections, onConnectionError } = options
  const connections = new Connections()
  const pool = connections.openPool({
    connectionString: url,
    application_name: 'patmint',
    max: maxConnections,
    keepAlive: true,
    ...toSettings(PATIENT_TIMEOUTS),
  })
  pool.on('error', (error) => onConnectionError?.(error))
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    run: async (text, values) => {
      try {
        return await pool.query(text, values)
      } catch (error) {
        if (isReadOnly(error)) connections.retire()
        if (isUnanswered(error)) await connections.destroy()
        throw error
      }
    },
    close: () => pool.end(),
  }
}

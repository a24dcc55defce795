// Statements that every exchange runs: Postgres parses and plans them once per connection, not once per use.

import { CompiledQuery } from 'kysely'
import type { ClientBase } from 'pg'
import type { Queryable } from './database.ts'

/** Runs a prepared statement with the values of its placeholders, in the order of its text. */
export type Prepared<Row> = (db: Queryable, values: readonly unknown[]) => Promise<Row[]>

/** The name stands in front as a comment: kysely hands nothing but text and values on to the driver. */
const NAMED = /^\/\* ([a-z_]+) \*\/ /

/** Names a statement, whose placeholders are `$1`, `$2` and so on. */
export function prepareStatement<Row>(name: string, statement: string): Prepared<Row> {
  const text = `/* ${name} */ ${statement}`
  return async (db, values) => {
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, [...values]))
    return rows
  }
}

/** Makes a connection run the statements of `prepareStatement` under their names (extended query protocol). */
export function nameStatements(client: ClientBase): void {
  const query = client.query.bind(client) as (text: unknown, values: unknown) => unknown
  const queryByName = (text: string, values: unknown): unknown => {
    const name = NAMED.exec(text)?.[1]
    return query(name === undefined ? text : { name, text }, values)
  }
  Object.assign(client, { query: queryByName })
}

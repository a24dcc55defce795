// Advisory locks: what must not be done twice at once, by however many instances.

import { sql } from 'kysely'
import type { Queryable } from './database.ts'

/** Waits for whoever holds the lock `name`, and holds it until the transaction ends. */
export async function lockUntilEnd(transaction: Queryable, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${name}))`.execute(transaction)
}

/** Gives each statement of a transaction a minute, also to wait for locks, beyond the time-outs of a request. */
export async function allowLongStatements(transaction: Queryable): Promise<void> {
  await sql`set local statement_timeout = '60s'`.execute(transaction)
  await sql`set local lock_timeout = '60s'`.execute(transaction)
}

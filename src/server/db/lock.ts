// Advisory locks: what must not be done twice at once, by however many instances.

import { sql } from 'kysely'
import type { Queryable } from './database.ts'

/** Waits for whoever holds the lock `name`, and holds it until the transaction ends. */
export async function lockUntilEnd(transaction: Queryable, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${name}))`.execute(transaction)
}

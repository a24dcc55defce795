// Credentials that work and are about to end, a page at a time.

import { sql } from 'kysely'
import type { Transaction } from '../db/transaction.ts'
import { selectEnds } from '../policy/end-store.ts'
import type { Ending } from './due.ts'

export interface EndingCredential extends Ending {
  readonly id: string
  readonly organizationId: string
}

/** When they end: later than `now`, and by `until`. */
export interface EndingQuery {
  readonly now: Date
  readonly until: Date
}

/** Credentials of one page. */
const PAGE = 500

/**
 * Gives those that end then, page by page. They are looked for once, whatever number of pages they fill: of a million,
 * that takes most of a second. Of a credential that has a successor nobody is told.
 */
export async function* readEnding(
  transaction: Transaction,
  { now, until }: EndingQuery,
): AsyncGenerator<readonly EndingCredential[]> {
  // A cursor's plan is one that soon has the first row, unless told that all are wanted.
  await sql`set local cursor_tuple_fraction = 1`.execute(transaction)
  await sql`
    declare ending no scroll cursor for
    select e.id, e.organization_id as "organizationId", e.ends_at as at, e.cause,
      case e.cause when 'idle_timeout' then coalesce(c.last_used_at, c.created_at) else c.created_at end as since
    from (${selectEnds(now, until)}) e
    join credentials c on c.id = e.id
    where c.overlap_until is null
    order by e.id`.execute(transaction)
  let size = PAGE
  while (size === PAGE) {
    const { rows } = await sql<EndingCredential>`fetch ${sql.lit(PAGE)} from ending`.execute(transaction)
    size = rows.length
    if (size > 0) yield rows
  }
}

// Credentials that work and are about to end, a page at a time.

import { sql } from 'kysely'
import type { Database } from '../db/database.ts'
import { selectEnds } from '../policy/end-store.ts'
import type { Ending } from './due.ts'

export interface EndingCredential extends Ending {
  readonly id: string
  readonly organizationId: string
}

/** How a page is asked for. */
export interface EndingQuery {
  readonly now: Date
  readonly until: Date
  /** Id of the last credential of the page before; empty for the first page. */
  readonly after: string
  readonly limit: number
}

/** Those that end by `until`, by id. Of a credential that has a successor nobody is told. */
export async function listEnding(
  db: Database,
  { now, until, after, limit }: EndingQuery,
): Promise<EndingCredential[]> {
  const { rows } = await sql<EndingCredential>`
    select e.id, e.organization_id as "organizationId", e.ends_at as at, e.cause,
      case e.cause when 'idle_timeout' then coalesce(c.last_used_at, c.created_at) else c.created_at end as since
    from (${selectEnds(now, until)}) e
    join credentials c on c.id = e.id
    where e.id > ${after} and c.overlap_until is null
    order by e.id limit ${limit}`.execute(db)
  return rows
}

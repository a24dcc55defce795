// Families of credentials: what has come out of one another by rotation. A line, since each has one successor at most.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'

export interface FamilyMember {
  readonly id: string
  readonly reuseDetectedAt: Date | null
}

/** Those of the family of the credential `id` that have not ended by `now`, the youngest generation first. */
export async function listLiveFamily(db: Queryable, id: string, now: Date): Promise<FamilyMember[]> {
  const { rows } = await sql<FamilyMember>`
    with recursive ancestors as (
      select id, replaces from credentials where id = ${id}
      union all
      select c.id, c.replaces from credentials c join ancestors a on c.id = a.replaces
    ), family as (
      select id, 0 as generation from ancestors where replaces is null
      union all
      select c.id, f.generation + 1 from credentials c join family f on c.replaces = f.id
    )
    select c.id, c.reuse_detected_at as "reuseDetectedAt"
    from family f join credentials c on c.id = f.id
    where c.revoked_at is null
      and (c.overlap_until is null or c.overlap_until > ${now})
      and (c.expires_at is null or c.expires_at > ${now})
    order by f.generation desc`.execute(db)
  return rows
}

export async function markReuseDetected(db: Queryable, id: string, at: Date): Promise<void> {
  await db.updateTable('credentials').set({ reuse_detected_at: at }).where('id', '=', id).execute()
}

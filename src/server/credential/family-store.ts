// Families of credentials: what has come out of one another by rotation. A line, since each has one successor at most.

import { sql } from 'kysely'
import type { Queryable } from '../db/database.ts'

export interface FamilyMember {
  readonly id: string
  readonly reuseDetectedAt: Date | null
}

/**
 * Those of the family of `id`, a credential that was superseded, that have not ended by `now`, the youngest generation
 * first. Two at most: none gets a successor while its own predecessor works (rotate.ts), and what has ended has for
 * good, so all before the last two are dead, the ancestors of `id` among them. The last has no overlap, and the one
 * before it the latest.
 */
export async function listLiveFamily(db: Queryable, id: string, now: Date): Promise<FamilyMember[]> {
  const { rows } = await sql<FamilyMember>`
    select id, "reuseDetectedAt" from (
      select id, reuse_detected_at as "reuseDetectedAt", revoked_at, overlap_until, expires_at
      from credentials
      where family = (select coalesce(family, id) from credentials where id = ${id})
      order by overlap_until desc nulls first
      limit 2
    ) youngest
    where revoked_at is null
      and (overlap_until is null or overlap_until > ${now})
      and (expires_at is null or expires_at > ${now})
    order by overlap_until desc nulls first`.execute(db)
  return rows
}

export async function markReuseDetected(db: Queryable, id: string, at: Date): Promise<void> {
  await db.updateTable('credentials').set({ reuse_detected_at: at }).where('id', '=', id).execute()
}

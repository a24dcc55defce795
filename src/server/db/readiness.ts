// Whether the database could serve an exchange now. It must take writes: what cannot be recorded is not decided.

import { sql } from 'kysely'
import type { Database } from './database.ts'
import { waitAtMost } from './time-limit.ts'

/** Probes of Kubernetes give up after a second, and want an answer rather than none. */
const LOOK_MS = 750

/** Builds the check. It answers within `lookMs`; while one look is under way, whoever asks waits for that one. */
export function createReadinessCheck(db: Database, lookMs: number = LOOK_MS): () => Promise<boolean> {
  let looking: Promise<void> | null = null
  const look = (): Promise<void> => {
    looking ??= tryToRecord(db).finally(() => {
      looking = null
    })
    return looking
  }
  return () =>
    waitAtMost(lookMs, look()).then(
      () => true,
      () => false,
    )
}

/**
 * The statement of a record, of which there is none. It writes nothing, and fails where nothing can be written: on a
 * standby, and in a session that was opened while the database only read.
 */
async function tryToRecord(db: Database): Promise<void> {
  await sql`insert into audit_events (id, occurred_at, type)
    select null::uuid, null::timestamptz, null where false`.execute(db)
}

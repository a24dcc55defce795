// The rows of `revoked_tokens`: access tokens of ours that somebody ended before they expired, by `jti`.

import { type RawBuilder, sql } from 'kysely'
import type { Database, Queryable } from '../db/database.ts'
import { PURGE_BATCH, purgeInBatches } from '../db/purge.ts'
import { createTurnReader, type Part } from '../db/turn-reader.ts'

/** Instances whose clocks differ by less than this agree on what is revoked. */
const CLOCK_SKEW_MS = 300_000
/** Revokes the token; gives false when it was revoked already. */
export async function insertRevokedToken(
  db: Queryable,
  token: { readonly jti: string; readonly expiresAt: Date },
  now: Date,
): Promise<boolean> {
  const inserted = await db
    .insertInto('revoked_tokens')
    .values({ jti: token.jti, expires_at: token.expiresAt, revoked_at: now })
    .onConflict((conflict) => conflict.column('jti').doNothing())
    .returning('jti')
    .executeTakeFirst()
  return inserted !== undefined
}

const selectRevoked = (tokenIds: readonly string[]): RawBuilder<readonly string[] | null> => sql`(
  select json_agg(t.jti) from revoked_tokens t where t.jti = any(${tokenIds}::text[]))`

const revokedTokensPart: Part<true> = {
  select: selectRevoked,
  read: (json) => new Map((json as readonly string[] | null)?.map((jti) => [jti, true])),
}

/**
 * Builds what tells whether the token of a `jti` was revoked, by one statement for all that a turn of the event loop asks
 * about: not by that of the exchanges, most of which ask about no token.
 */
export function createRevokedTokenCheck(db: Database): (jti: string) => Promise<boolean> {
  const { revoked } = createTurnReader(db, { revoked: revokedTokensPart })
  return async (jti) => (await revoked(jti)) ?? false
}

/** Removes what has expired, in batches that stay below the statement time-out. Nothing waits for it. */
export async function purgeRevokedTokens(db: Database, now: Date, signal?: AbortSignal): Promise<void> {
  await purgeInBatches(() => purgeBatch(db, now), signal)
}

async function purgeBatch(db: Database, now: Date): Promise<number> {
  const { numDeletedRows } = await db
    // Materialized: as a join it could be evaluated, and limited, more than once.
    .with(
      (cte) => cte('expired').materialized(),
      (query) =>
        query
          .selectFrom('revoked_tokens')
          .select('jti')
          .where('expires_at', '<=', new Date(now.getTime() - CLOCK_SKEW_MS))
          .limit(PURGE_BATCH)
          .forUpdate()
          .skipLocked(),
    )
    .deleteFrom('revoked_tokens as token')
    .using('expired')
    .whereRef('token.jti', '=', 'expired.jti')
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

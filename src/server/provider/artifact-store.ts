// The rows of `oidc_artifacts`, one store per oidc-provider model.

import type { AdapterPayload } from 'oidc-provider'
import type { Database } from '../db/database.ts'
import { PURGE_BATCH, purgeInBatches } from '../db/purge.ts'

/** Kept this long when oidc-provider names no time: longer than anything it stores so. */
const DEFAULT_LIFETIME_SECONDS = 86_400
/** Ten years. A client chooses `exp` of its assertion, and may choose one that no `Date` can hold. */
const MAX_LIFETIME_SECONDS = 315_360_000

export interface ArtifactStore {
  save(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void>
  /** Like `save`, but gives false and writes nothing when a row with this id has not expired yet. */
  saveOnce(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<boolean>
  find(column: 'id' | 'user_code' | 'uid', value: string): Promise<AdapterPayload | undefined>
  consume(id: string): Promise<void>
  remove(column: 'id' | 'grant_id', value: string): Promise<void>
}

/**
 * Removes what has expired, in batches that stay below the statement time-out; instances that purge together share
 * the work. Nothing waits for it: an expired row counts as absent all along.
 */
export async function purgeExpiredArtifacts(db: Database, now: Date, signal?: AbortSignal): Promise<void> {
  await purgeInBatches(() => purgeBatch(db, now), signal)
}

async function purgeBatch(db: Database, now: Date): Promise<number> {
  const { numDeletedRows } = await db
    // Materialized: as a join it could be evaluated, and limited, more than once.
    .with(
      (cte) => cte('expired').materialized(),
      (query) =>
        query
          .selectFrom('oidc_artifacts')
          .select(['model', 'id'])
          .where('expires_at', '<=', now)
          .limit(PURGE_BATCH)
          .forUpdate()
          .skipLocked(),
    )
    .deleteFrom('oidc_artifacts as artifact')
    .using('expired')
    .whereRef('artifact.model', '=', 'expired.model')
    .whereRef('artifact.id', '=', 'expired.id')
    .executeTakeFirstOrThrow()
  return Number(numDeletedRows)
}

export function createArtifactStore(db: Database, model: string): ArtifactStore {
  return {
    async save(id, payload, expiresInSeconds) {
      const row = toRow(payload, expiresInSeconds)
      await db
        .insertInto('oidc_artifacts')
        .values({ model, id, ...row })
        .onConflict((conflict) => conflict.columns(['model', 'id']).doUpdateSet(row))
        .execute()
    },

    async saveOnce(id, payload, expiresInSeconds) {
      const row = toRow(payload, expiresInSeconds)
      const written = await db
        .insertInto('oidc_artifacts')
        .values({ model, id, ...row })
        .onConflict((conflict) =>
          conflict
            .columns(['model', 'id'])
            .doUpdateSet(row)
            .where('oidc_artifacts.expires_at', '<=', new Date()),
        )
        .returning('id')
        .executeTakeFirst()
      return written !== undefined
    },

    async find(column, value) {
      const row = await db
        .selectFrom('oidc_artifacts')
        .select(['payload', 'consumed_at'])
        .where('model', '=', model)
        .where(column, '=', value)
        .where('expires_at', '>', new Date())
        .executeTakeFirst()
      if (!row) return undefined
      const consumed = row.consumed_at && { consumed: Math.floor(row.consumed_at.getTime() / 1000) }
      return { ...row.payload, ...consumed }
    },

    async consume(id) {
      await db
        .updateTable('oidc_artifacts')
        .set({ consumed_at: new Date() })
        .where('model', '=', model)
        .where('id', '=', id)
        .execute()
    },

    async remove(column, value) {
      await db.deleteFrom('oidc_artifacts').where('model', '=', model).where(column, '=', value).execute()
    },
  }
}

function toRow(payload: AdapterPayload, expiresInSeconds: number = DEFAULT_LIFETIME_SECONDS) {
  return {
    payload: JSON.stringify(payload),
    grant_id: payload.grantId ?? null,
    user_code: payload.userCode ?? null,
    uid: payload.uid ?? null,
    expires_at: new Date(Date.now() + Math.min(expiresInSeconds, MAX_LIFETIME_SECONDS) * 1000),
  }
}

// The rows of `oidc_artifacts`, one store per oidc-provider model.

import type { AdapterPayload } from 'oidc-provider'
import type { Database } from '../db/database.ts'

/** Kept this long when oidc-provider names no time: longer than anything it stores so. */
const DEFAULT_LIFETIME_SECONDS = 86_400

export interface ArtifactStore {
  save(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void>
  /** Like `save`, but gives false and writes nothing when a row with this id has not expired yet. */
  saveOnce(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<boolean>
  find(column: 'id' | 'user_code' | 'uid', value: string): Promise<AdapterPayload | undefined>
  consume(id: string): Promise<void>
  remove(column: 'id' | 'grant_id', value: string): Promise<void>
}

/** Removes what has expired. Nothing waits for it: an expired row counts as absent all along. */
export async function purgeExpiredArtifacts(db: Database, now: Date): Promise<void> {
  await db.deleteFrom('oidc_artifacts').where('expires_at', '<=', now).execute()
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
    expires_at: new Date(Date.now() + expiresInSeconds * 1000),
  }
}

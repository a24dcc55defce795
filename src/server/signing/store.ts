// The rows of `signing_keys`.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { Queryable } from '../db/database.ts'

export interface SigningKeyRow {
  readonly kid: string
  readonly alg: SigningAlgorithm
  readonly publicJwk: Readonly<Record<string, string>>
  readonly privateKeyJwe: string
  readonly publishedAt: Date
  readonly activatesAt: Date
}

/** Keys not yet retired at `now`, oldest first. */
export async function listSigningKeys(db: Queryable, now: Date): Promise<SigningKeyRow[]> {
  return db
    .selectFrom('signing_keys')
    .select([
      'kid',
      'alg',
      'public_jwk as publicJwk',
      'private_key_jwe as privateKeyJwe',
      'published_at as publishedAt',
      'activates_at as activatesAt',
    ])
    .where((where) => where.or([where('retires_at', 'is', null), where('retires_at', '>', now)]))
    .orderBy('activates_at')
    .orderBy('kid')
    .execute()
}

export async function insertSigningKey(db: Queryable, key: SigningKeyRow): Promise<void> {
  await db
    .insertInto('signing_keys')
    .values({
      kid: key.kid,
      alg: key.alg,
      public_jwk: JSON.stringify(key.publicJwk),
      private_key_jwe: key.privateKeyJwe,
      published_at: key.publishedAt,
      activates_at: key.activatesAt,
      retires_at: null,
    })
    .execute()
}

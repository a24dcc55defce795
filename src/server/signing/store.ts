// The rows of `signing_keys`.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { Queryable } from '../db/database.ts'
import { lockUntilEnd } from '../db/lock.ts'
import type { Transaction } from '../db/transaction.ts'
import type { KeyLife } from './key-life.ts'

/** A key as anybody may know it. */
export interface DescribedKey extends KeyLife {
  readonly kid: string
  readonly alg: SigningAlgorithm
}

export interface SigningKeyRow extends DescribedKey {
  readonly publicJwk: Readonly<Record<string, string>>
  readonly privateKeyJwe: string
}

const LIFE = [
  'kid',
  'alg',
  'published_at as publishedAt',
  'activates_at as activatesAt',
  'retires_at as retiresAt',
  'gone_at as goneAt',
  'withdrawn_at as withdrawnAt',
] as const

/** Whoever changes the ring waits here for everybody else who does. */
export const lockSigningKeys = (transaction: Transaction): Promise<void> =>
  lockUntilEnd(transaction, 'patmint.signing_keys')

/** Keys that are not gone at `now`, in the order in which they sign. */
export async function listSigningKeys(db: Queryable, now: Date): Promise<SigningKeyRow[]> {
  return db
    .selectFrom('signing_keys')
    .select([...LIFE, 'public_jwk as publicJwk'])
    .select((row) => row.ref('private_key_jwe').$notNull().as('privateKeyJwe'))
    .where('private_key_jwe', 'is not', null)
    .where('withdrawn_at', 'is', null)
    .where((where) => where.or([where('gone_at', 'is', null), where('gone_at', '>', now)]))
    .orderBy('activates_at')
    .orderBy('kid')
    .execute()
}

export interface KeyPage {
  /** The last one of the page before. */
  readonly after: { readonly createdAt: Date; readonly id: string } | null
  readonly limit: number
}

/** Every key there ever was, newest first. */
export async function describeSigningKeys(db: Queryable, { after, limit }: KeyPage): Promise<DescribedKey[]> {
  const keys = db.selectFrom('signing_keys').select(LIFE)
  const page =
    after === null
      ? keys
      : keys.where((where) =>
          where(
            where.refTuple('published_at', 'kid'),
            '<',
            where.tuple(where.val(after.createdAt), where.val(after.id)),
          ),
        )
  return page.orderBy('published_at', 'desc').orderBy('kid', 'desc').limit(limit).execute()
}

export async function findSigningKey(db: Queryable, kid: string): Promise<DescribedKey | undefined> {
  return db.selectFrom('signing_keys').select(LIFE).where('kid', '=', kid).executeTakeFirst()
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
      retires_at: key.retiresAt,
      gone_at: key.goneAt,
      withdrawn_at: key.withdrawnAt,
    })
    .execute()
}

/** When a key signs, and until when; what is not named stays. */
export async function rescheduleSigningKey(
  db: Queryable,
  kid: string,
  { activatesAt, retiresAt, goneAt }: Partial<Pick<KeyLife, 'activatesAt' | 'retiresAt' | 'goneAt'>>,
): Promise<void> {
  await db
    .updateTable('signing_keys')
    .set({ activates_at: activatesAt, retires_at: retiresAt, gone_at: goneAt })
    .where('kid', '=', kid)
    .execute()
}

/** Ends a key, and with it its private half. */
export async function endSigningKey(db: Queryable, kid: string, now: Date): Promise<void> {
  await db
    .updateTable('signing_keys')
    .set({ withdrawn_at: now, retires_at: now, gone_at: now, private_key_jwe: null })
    .where('kid', '=', kid)
    .execute()
}

export async function replaceSeal(db: Queryable, kid: string, privateKeyJwe: string): Promise<void> {
  await db
    .updateTable('signing_keys')
    .set({ private_key_jwe: privateKeyJwe })
    .where('kid', '=', kid)
    .execute()
}

/** Forgets the private halves of keys that are gone at `now`: nothing is signed with them any more. */
export async function forgetGoneKeys(db: Queryable, now: Date): Promise<void> {
  await db
    .updateTable('signing_keys')
    .set({ private_key_jwe: null })
    .where('gone_at', '<=', now)
    .where('private_key_jwe', 'is not', null)
    .execute()
}

// Emergency withdrawal: a key that may be in the wrong hands leaves the ring at once, and another one signs.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { Transaction } from '../db/transaction.ts'
import { stateOf } from './key-life.ts'
import {
  type DescribedKey,
  endSigningKey,
  findSigningKey,
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
  rescheduleSigningKey,
} from './store.ts'
import { createFirstKey, type TurnOptions } from './turn-keys.ts'

/** A key that was to be withdrawn. */
export interface Withdrawal {
  /** As it was. */
  readonly key: DescribedKey
  /** False: it was gone before. */
  readonly isWithdrawn: boolean
  /** The key that had to begin to sign; null when another one signed already. */
  readonly replacement: string | null
}

/**
 * Takes a key out of the JWKS at once. Where it was the one that signs, the next one does from now on, published or not.
 * `undefined` for a key nobody knows; one that is gone stays as it is.
 */
export async function withdrawKey(
  transaction: Transaction,
  kid: string,
  options: TurnOptions,
): Promise<Withdrawal | undefined> {
  await lockSigningKeys(transaction)
  const key = await findSigningKey(transaction, kid)
  if (!key) return undefined
  if (stateOf(key, options.now) === 'gone') return { key, isWithdrawn: false, replacement: null }
  await endSigningKey(transaction, kid, options.now)
  return { key, isWithdrawn: true, replacement: await keepSigning(transaction, key.alg, options) }
}

/** Sees to it that a key signs with `alg` now, and goes on until it has a successor; gives the one that had to begin. */
async function keepSigning(
  transaction: Transaction,
  alg: SigningAlgorithm,
  { encryption, now }: TurnOptions,
): Promise<string | null> {
  const left = (await listSigningKeys(transaction, now)).filter((key) => key.alg === alg)
  const current = left.findLast((key) => stateOf(key, now) === 'active')
  const next = left.find((key) => stateOf(key, now) === 'published')
  if (current) {
    if (!next) await rescheduleSigningKey(transaction, current.kid, { retiresAt: null, goneAt: null })
    return null
  }
  if (next) {
    await rescheduleSigningKey(transaction, next.kid, { activatesAt: now })
    return next.kid
  }
  const made = await createFirstKey(alg, encryption, now)
  await insertSigningKey(transaction, made)
  return made.kid
}

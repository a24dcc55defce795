// Private keys under the secret key of the day, so that an older one can be dropped.

import type { Transaction } from '../db/transaction.ts'
import { renewSeal } from './sealed-key.ts'
import { listSigningKeys, lockSigningKeys, replaceSeal } from './store.ts'
import type { TurnOptions } from './turn-keys.ts'

/** Seals every private key under the first secret key; gives how many were not. */
export async function resealKeys(
  transaction: Transaction,
  { encryption, now }: Pick<TurnOptions, 'encryption' | 'now'>,
): Promise<number> {
  await lockSigningKeys(transaction)
  const keys = await listSigningKeys(transaction, now)
  let count = 0
  for (const { kid, privateKeyJwe } of keys) {
    const renewed = await renewSeal({ privateKeyJwe }, encryption)
    if (renewed === undefined) continue
    await replaceSeal(transaction, kid, renewed)
    count += 1
  }
  return count
}

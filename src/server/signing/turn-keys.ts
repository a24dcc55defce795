// What turns the ring: the first keys, and the next ones. Each works under the lock of the ring, so that however many
// instances try at once, one does it and the others find it done.

import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../protocol/access-token.ts'
import type { Transaction } from '../db/transaction.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'
import { activationOf, goneAfter, isRotationDue, type KeyTimings, stateOf } from './key-life.ts'
import { createSigningKey } from './sealed-key.ts'
import {
  type DescribedKey,
  insertSigningKey,
  listSigningKeys,
  lockSigningKeys,
  rescheduleSigningKey,
  type SigningKeyRow,
} from './store.ts'

export interface TurnOptions {
  readonly encryption: DerivedKeys
  readonly timings: KeyTimings
  readonly now: Date
}

/** A key that was published, and the one it will take over from. */
export interface Turn {
  readonly next: DescribedKey
  readonly replaces: string
}

/** A key that signs at once: no key has signed with its algorithm yet, or none may any more. */
export const createFirstKey = (
  alg: SigningAlgorithm,
  encryption: DerivedKeys,
  now: Date,
): Promise<SigningKeyRow> => createSigningKey(alg, encryption, { publishedAt: now, activatesAt: now })

/**
 * Publishes the next key of each of these algorithms, and sets when it takes over. An algorithm whose next key is
 * published already is left alone.
 */
export const rotateKeys = (
  transaction: Transaction,
  algs: readonly SigningAlgorithm[],
  options: TurnOptions,
): Promise<Turn[]> => turnKeys(transaction, options, ([{ alg }]) => algs.includes(alg))

/** The same for each algorithm whose newest key has been signing for `rotationSeconds`. */
export const rotateDueKeys = (
  transaction: Transaction,
  rotationSeconds: number,
  options: TurnOptions,
): Promise<Turn[]> =>
  turnKeys(transaction, options, (line) => isRotationDue(line, options.now, rotationSeconds))

/** The keys of one algorithm, in the order in which they sign. */
type Line = readonly [SigningKeyRow, ...SigningKeyRow[]]

async function turnKeys(
  transaction: Transaction,
  options: TurnOptions,
  isWanted: (line: Line) => boolean,
): Promise<Turn[]> {
  await lockSigningKeys(transaction)
  const keys = await listSigningKeys(transaction, options.now)
  const turns: Turn[] = []
  for (const alg of SIGNING_ALGORITHMS) {
    const [first, ...others] = keys.filter((key) => key.alg === alg)
    if (!first || !isWanted([first, ...others])) continue
    const turn = await turnLine(transaction, [first, ...others], options)
    if (turn) turns.push(turn)
  }
  return turns
}

async function turnLine(
  transaction: Transaction,
  line: Line,
  { encryption, timings, now }: TurnOptions,
): Promise<Turn | undefined> {
  const current = line.findLast((key) => stateOf(key, now) === 'active')
  if (!current || line.some((key) => stateOf(key, now) === 'published')) return undefined
  const activatesAt = activationOf(now, timings)
  const next = await createSigningKey(current.alg, encryption, { publishedAt: now, activatesAt })
  await insertSigningKey(transaction, next)
  await rescheduleSigningKey(transaction, current.kid, {
    retiresAt: activatesAt,
    goneAt: goneAfter(activatesAt, timings),
  })
  return { next, replaces: current.kid }
}

// Hashers for tests, over fixed secret keys and at the least cost.

import { CredentialHasher, type HashParameters } from '../../../../src/server/credential/hash.ts'
import { HashQueue } from '../../../../src/server/credential/hash-queue.ts'
import { deriveCredentialKeys } from '../../../../src/server/credential/mark.ts'

export const KEY_A = Buffer.alloc(32, 'a')
export const KEY_B = Buffer.alloc(32, 'b')

export const CHEAPEST: HashParameters = { memoryKib: 8, passes: 1, lanes: 1 }

export const createHasher = (
  keys: [Buffer, ...Buffer[]] = [KEY_A],
  parameters: HashParameters = CHEAPEST,
): CredentialHasher =>
  new CredentialHasher(
    deriveCredentialKeys(keys),
    parameters,
    new HashQueue({ atOnce: 2, waiting: 100, waitMs: 10_000 }),
  )

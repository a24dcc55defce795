// The key ring of a process: opened, followed, and turned on demand.

import type { TurnRing } from './api/dependencies.ts'
import type { Foundation } from './compose.ts'
import type { Watched } from './instrument.ts'
import { repeat } from './repeat.ts'
import { deriveKeys } from './secret/secret-keys.ts'
import { type KeyRing, openKeyRing } from './signing/key-ring.ts'
import { rotateKeys } from './signing/turn-keys.ts'
import { withdrawKey } from './signing/withdraw-key.ts'

type Ring = Pick<Foundation, 'config' | 'db' | 'secretKeys' | 'log' | 'clock'>

export interface Signing {
  readonly keyRing: KeyRing
  readonly turnRing: TurnRing
  /** Resolves when nobody looks for changes of the ring any more. */
  readonly stop: () => Promise<void>
}

/** Opens the ring, and looks for what others change about it. What fails then leaves the keys there are. */
export async function composeSigning(ring: Ring & { readonly watched: Watched }): Promise<Signing> {
  const { config, db, clock } = ring
  const keyRing = await openKeyRing(db, encryptionOf(ring), clock)
  const interval = { seconds: config.signingKeys.pollSeconds }
  const following = repeat(ring, 'signing keys', interval, () => keyRing.follow())
  await following.firstRun
  return { keyRing, turnRing: createTurnRing(ring, keyRing), stop: following.stop }
}

export const encryptionOf = ({ secretKeys }: Pick<Ring, 'secretKeys'>) =>
  deriveKeys(secretKeys, 'signing-key-encryption')

function createTurnRing(ring: Ring, keyRing: KeyRing): TurnRing {
  const settings = { encryption: encryptionOf(ring), timings: ring.config.signingKeys }
  return {
    rotate: (transaction, algs, now) => rotateKeys(transaction, algs, { ...settings, now }),
    withdraw: (transaction, kid, now) => withdrawKey(transaction, kid, { ...settings, now }),
    follow: () => keyRing.follow(),
  }
}

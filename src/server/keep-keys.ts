// The upkeep of the key ring, done by whichever instance comes first: private keys under the secret key of the day, and
// the next keys when they are due.

import type { Foundation } from './compose.ts'
import { encryptionOf } from './compose-signing.ts'
import { appendAuditEvents } from './ledger/store.ts'
import { describeTurn, tellResealed, tellTurn } from './signing/describe-turn.ts'
import { resealKeys } from './signing/reseal-keys.ts'
import { forgetGoneKeys, lockSigningKeys } from './signing/store.ts'
import { rotateDueKeys } from './signing/turn-keys.ts'

type Ring = Pick<Foundation, 'config' | 'db' | 'secretKeys' | 'log' | 'clock'>

/** Does what there is to do. Rejects when the database is away, or a private key has a secret key that is not configured. */
export async function keepKeys(ring: Ring): Promise<void> {
  const { db, log, clock } = ring
  const changes = await db.transaction().execute(async (transaction) => {
    const encryption = encryptionOf(ring)
    // Before the time is taken: a key is published when others can see it, not when somebody began to wait.
    await lockSigningKeys(transaction)
    const now = clock()
    await forgetGoneKeys(transaction, now)
    const resealed = await resealKeys(transaction, { encryption, now })
    const { rotationSeconds, ...timings } = ring.config.signingKeys
    const turns =
      rotationSeconds === null
        ? []
        : await rotateDueKeys(transaction, rotationSeconds, { encryption, timings, now })
    await appendAuditEvents(
      transaction,
      turns.map((turn) => ({ ...describeTurn(turn), occurredAt: now, actor: 'schedule' })),
    )
    return [...(resealed > 0 ? [tellResealed(resealed)] : []), ...turns.map(tellTurn)]
  })
  if (changes.length > 0) log.info({ changes }, 'signing keys changed')
}

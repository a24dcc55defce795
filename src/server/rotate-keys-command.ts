// The operator's command rotate-keys: the next signing keys now, and every private key under the first secret key.

import type { SigningAlgorithm } from '../protocol/access-token.ts'
import { encryptionOf } from './compose-signing.ts'
import { openDatabase, PATIENT_TIMEOUTS } from './db/database.ts'
import { appendAuditEvents } from './ledger/store.ts'
import { migrateDatabase, type OperatorContext, resolveSecretKeys, withSharedDatabase } from './operator.ts'
import { describeTurn, tellResealed, tellTurn } from './signing/describe-turn.ts'
import { openKeyRing } from './signing/key-ring.ts'
import { resealKeys } from './signing/reseal-keys.ts'
import { lockSigningKeys } from './signing/store.ts'
import { rotateKeys } from './signing/turn-keys.ts'

/** Gives a line per key that was published or encrypted anew. Servers that run take it over by themselves. */
export async function rotateKeysCommand(
  context: OperatorContext,
  algs: readonly SigningAlgorithm[],
): Promise<string[]> {
  const { config, clock } = context
  return withSharedDatabase(context, async (url) => {
    await migrateDatabase(url)
    const db = openDatabase({ url, maxConnections: 2, timeouts: PATIENT_TIMEOUTS })
    const encryption = encryptionOf({ secretKeys: resolveSecretKeys(config) })
    try {
      // Where no server ever ran there is nothing to rotate, and with the wrong secret key nothing to rotate by.
      await openKeyRing(db, encryption, clock)
      return await db.transaction().execute(async (transaction) => {
        // Before the time is taken: a key is published when others can see it, not when somebody began to wait.
        await lockSigningKeys(transaction)
        const now = clock()
        const resealed = await resealKeys(transaction, { encryption, now })
        const turns = await rotateKeys(transaction, algs, { encryption, timings: config.signingKeys, now })
        await appendAuditEvents(
          transaction,
          turns.map((turn) => ({ ...describeTurn(turn), occurredAt: now, actor: 'operator' })),
        )
        const lines = [...(resealed > 0 ? [tellResealed(resealed)] : []), ...turns.map(tellTurn)]
        return lines.length > 0 ? lines : ['nothing to rotate: the next keys are published already']
      })
    } finally {
      await db.destroy()
    }
  })
}

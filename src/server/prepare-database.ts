// What is done once for a database, however many processes serve from it: before they do, the signing keys, the
// built-ins and the first admin; from then on, partitions ahead of time, the rotation of keys and the purge.

import { bootstrapOnce } from './bootstrap-once.ts'
import type { Foundation } from './compose.ts'
import { encryptionOf } from './compose-signing.ts'
import { CredentialHasher } from './credential/hash.ts'
import { HashQueue } from './credential/hash-queue.ts'
import { deriveCredentialKeys } from './credential/mark.ts'
import { ensureBuiltIns } from './directory/built-in.ts'
import { instrument } from './instrument.ts'
import { keepKeys } from './keep-keys.ts'
import { ensureAuditPartitions } from './ledger/store.ts'
import { purgeExpiredArtifacts } from './provider/artifact-store.ts'
import { repeat } from './repeat.ts'
import { openKeyRing } from './signing/key-ring.ts'
import { purgeRevokedTokens } from './signing/revoked-token-store.ts'

export interface Upkeep {
  /** Resolves when the work under way has ended. */
  readonly stop: () => Promise<void>
}

/** Makes a migrated database ready to be served from, and keeps it so. */
export async function prepareDatabase(options: Foundation): Promise<Upkeep> {
  const { config, issuer, db, secretKeys, log, clock } = options
  const background = { log, clock, watched: instrument(options.telemetry) }
  // First of all: nothing is written with a secret key that is not this database's.
  await openKeyRing(db, encryptionOf(options), clock)
  const partitions = repeat(background, 'audit partitions', { hours: 24 }, () =>
    ensureAuditPartitions(db, clock()),
  )
  // Before the first record is written: a month that begins in the default partition stays there.
  await partitions.firstRun
  await db.transaction().execute((transaction) => ensureBuiltIns(transaction, issuer, clock()))
  const keysOfHashes = deriveCredentialKeys(secretKeys)
  await bootstrapOnce(
    options,
    new CredentialHasher(keysOfHashes, config.credentialHash, new HashQueue(ONE_HASH)),
  )
  const keys = repeat(background, 'key rotation', { hours: 1 }, () => keepKeys(options))
  await keys.firstRun
  const purge = repeat(background, 'purge', { hours: 1 }, async (signal) => {
    await purgeExpiredArtifacts(db, clock(), signal)
    await purgeRevokedTokens(db, clock(), signal)
  })
  return {
    stop: async () => {
      await Promise.all([partitions.stop(), keys.stop(), purge.stop()])
    },
  }
}

/** That of the first admin's credential, before there is anybody to wait for. */
const ONE_HASH = { atOnce: 1, waiting: 1, waitMs: 10_000 }

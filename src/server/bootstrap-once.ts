// The first start on an empty database: the platform admin, whose secrets go to the data folder, and the record of it.

import { bootstrap } from './bootstrap/first-start.ts'
import type { Config, SecretKeys } from './config/config.ts'
import { writeSecretFile } from './config/data-dir.ts'
import type { CredentialHasher } from './credential/hash.ts'
import type { Database } from './db/database.ts'
import type { Logger } from './http/log.ts'
import { appendAuditEvents } from './ledger/store.ts'
import { deriveKeys } from './secret/secret-keys.ts'

interface FirstStart {
  readonly config: Config
  readonly db: Database
  readonly secretKeys: SecretKeys
  readonly log: Logger
  readonly clock: () => Date
}

/** Makes the platform admin unless anyone was ever made here. */
export async function bootstrapOnce(
  { config, db, secretKeys, log, clock }: FirstStart,
  hasher: CredentialHasher,
): Promise<void> {
  const now = clock()
  const done = await bootstrap(db, {
    token: config.bootstrapToken,
    password: config.bootstrapPassword,
    hasher,
    passwordPeppers: deriveKeys(secretKeys, 'password-pepper'),
    now,
    keep: ({ token, password }) => {
      if (token) writeSecretFile(config.dataDir, 'bootstrap-token', token)
      if (password) writeSecretFile(config.dataDir, 'bootstrap-password', password)
    },
    record: (transaction, userId, credentialId) =>
      appendAuditEvents(transaction, [
        { type: 'platform.bootstrapped', occurredAt: now, subject: userId, credentialId },
      ]),
  })
  if (done)
    log.info({ email: 'admin@localhost', dataDir: config.dataDir }, 'first start: platform admin created')
}

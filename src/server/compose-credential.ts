// All that judges a credential, built once: the hasher, the check with its failures counted, and what recognizes values.

import { composeLimits, type ProcessLimits } from './compose-limits.ts'
import type { Config, SecretKeys } from './config/config.ts'
import { type AttemptLimits, countFailures } from './credential/attempt-limits.ts'
import { CredentialHasher } from './credential/hash.ts'
import { createLookAhead, type LookAhead } from './credential/look-ahead.ts'
import { deriveCredentialKeys } from './credential/mark.ts'
import { createRecognizeCredentials, type RecognizeCredentials } from './credential/recognize.ts'
import { createReportReuse } from './credential/reuse.ts'
import type { Standing } from './credential/standing.ts'
import { replaceSecretHash } from './credential/store.ts'
import {
  createRecheckCredential,
  createVerifyCredential,
  type RecheckCredential,
  type VerifyCredential,
} from './credential/verify.ts'
import type { Database } from './db/database.ts'
import type { Logger } from './http/log.ts'
import type { Watched } from './instrument.ts'
import { appendAuditEvents } from './ledger/store.ts'

export interface CredentialOptions {
  readonly config: Config
  readonly db: Database
  readonly loadStanding: (id: string) => Promise<Standing | undefined>
  readonly secretKeys: SecretKeys
  readonly log: Logger
  readonly clock: () => Date
  readonly watched: Watched
}

export interface CredentialChecks {
  readonly limits: ProcessLimits
  readonly hasher: CredentialHasher
  readonly attemptLimits: AttemptLimits
  /** Begins the look-up of a credential that will be verified. */
  readonly beginLookUp: LookAhead['begin']
  readonly verifyCredential: VerifyCredential
  readonly recheckCredential: RecheckCredential
  /** Of somebody who wants one to end. */
  readonly recognizeBurnt: RecognizeCredentials
  /** Of somebody who found them. */
  readonly recognizeLeaked: RecognizeCredentials
}

export function composeCredential(options: CredentialOptions): CredentialChecks {
  const { config, db, loadStanding, secretKeys, log, clock, watched } = options
  const limits = composeLimits(config.limits, log, clock, watched.hashObserver)
  const keys = deriveCredentialKeys(secretKeys)
  const hasher = new CredentialHasher(keys, config.credentialHash, limits.hashQueue, {
    onCheck: watched.onCheck,
    renewal: {
      replaceHash: (id, outdated, fresh) => replaceSecretHash(db, id, outdated, fresh),
      onError: (error) => log.warn({ err: error }, 'an outdated hash was not renewed'),
    },
  })
  const attemptLimits = limits.createAttemptLimits(config.limits, hasher)
  // Whoever finds credentials finds many that are none of ours: only failures at one and the same are counted.
  const leakLimits = limits.createAttemptLimits({ ...config.limits, failuresPerAddress: 0 }, hasher)
  const lookAhead = createLookAhead(loadStanding)
  const reportReuse = createReportReuse(db, config.credentialReuse, appendAuditEvents)
  const verify = createVerifyCredential(lookAhead.take, watched.hasher(hasher), reportReuse)
  return {
    limits,
    hasher,
    attemptLimits,
    beginLookUp: watched.beginLookUp(lookAhead),
    verifyCredential: countFailures(verify, attemptLimits),
    recheckCredential: createRecheckCredential(loadStanding),
    recognizeBurnt: createRecognizeCredentials(loadStanding, hasher, attemptLimits),
    recognizeLeaked: createRecognizeCredentials(loadStanding, hasher, leakLimits),
  }
}

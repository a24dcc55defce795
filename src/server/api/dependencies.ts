// What the operations of the management API work with. Handed to each one when it runs.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { CredentialKind } from '../../protocol/credential.ts'
import type { FreshCredential } from '../credential/issue.ts'
import type { RecognizeCredentials } from '../credential/recognize.ts'
import type { RehearseCheck } from '../credential/rehearse.ts'
import type { Refusal } from '../exchange/refusal.ts'
import type { MakeChange, Reader, Transaction } from '../ledger/change.ts'
import type { EnqueueNotices } from '../notices/queue.ts'
import type { ReadOwnToken } from '../signing/own-token.ts'
import type { Turn } from '../signing/turn-keys.ts'
import type { Withdrawal } from '../signing/withdraw-key.ts'
import type { LeakLimits } from './leak-limits.ts'

/** What can be done to the ring of signing keys. */
export interface TurnRing {
  readonly rotate: (
    transaction: Transaction,
    algs: readonly SigningAlgorithm[],
    now: Date,
  ) => Promise<readonly Turn[]>
  /** `undefined` for a key nobody knows. */
  readonly withdraw: (transaction: Transaction, kid: string, now: Date) => Promise<Withdrawal | undefined>
  /** Has this process take over what was changed, before its next look would. */
  readonly follow: () => Promise<void>
}

export interface ApiDependencies {
  /** For reading; whatever changes goes through `change`. */
  readonly db: Reader
  /** For reads that must agree with each other. */
  readonly readTogether: <T>(read: (reader: Reader) => Promise<T>) => Promise<T>
  readonly change: MakeChange
  readonly makeCredential: (kind: CredentialKind) => Promise<FreshCredential>
  readonly hashClientSecret: (secret: string) => string
  readonly recognizeCredentials: RecognizeCredentials
  readonly leakLimits: LeakLimits
  readonly rehearseCheck: RehearseCheck
  readonly readOwnToken: ReadOwnToken
  readonly turnRing: TurnRing
  /** Null where no notices are sent. */
  readonly enqueueNotices: EnqueueNotices | null
  /** Whether the access token of this `jti` was revoked by itself. */
  readonly isTokenRevoked: (tokenId: string) => Promise<boolean>
  /** What the token endpoint answers to a refusal. */
  readonly toWireError: (refusal: Refusal) => { readonly error: string; readonly error_description: string }
  /** Further types of a subject token that mean a credential. */
  readonly subjectTokenTypeAliases: readonly string[]
  readonly apiAudience: string
  readonly clock: () => Date
}

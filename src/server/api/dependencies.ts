// What the operations of the management API work with. Handed to each one when it runs.

import type { CredentialKind } from '../../protocol/credential.ts'
import type { FreshCredential } from '../credential/issue.ts'
import type { RecognizeCredentials } from '../credential/recognize.ts'
import type { RehearseCheck } from '../credential/rehearse.ts'
import type { Refusal } from '../exchange/refusal.ts'
import type { MakeChange, Reader } from '../ledger/change.ts'
import type { ReadOwnToken } from '../signing/own-token.ts'
import type { LeakLimits } from './leak-limits.ts'

export interface ApiDependencies {
  /** For reading; whatever changes goes through `change`. */
  readonly db: Reader
  readonly change: MakeChange
  readonly makeCredential: (kind: CredentialKind) => Promise<FreshCredential>
  readonly hashClientSecret: (secret: string) => string
  readonly recognizeCredentials: RecognizeCredentials
  readonly leakLimits: LeakLimits
  readonly rehearseCheck: RehearseCheck
  readonly readOwnToken: ReadOwnToken
  /** What the token endpoint answers to a refusal. */
  readonly toWireError: (refusal: Refusal) => { readonly error: string; readonly error_description: string }
  /** Further types of a subject token that mean a credential. */
  readonly subjectTokenTypeAliases: readonly string[]
  readonly apiAudience: string
  readonly clock: () => Date
}

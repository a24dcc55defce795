// What the operations of the management API work with. Handed to each one when it runs.

import type { CredentialKind } from '../../protocol/credential.ts'
import type { FreshCredential } from '../credential/issue.ts'
import type { MakeChange, Reader } from '../ledger/change.ts'

export interface ApiDependencies {
  /** For reading; whatever changes goes through `change`. */
  readonly db: Reader
  readonly change: MakeChange
  readonly makeCredential: (kind: CredentialKind) => Promise<FreshCredential>
  readonly apiAudience: string
}

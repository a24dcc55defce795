// An exchange to be explained: everything known about it, and nothing that was done.

import type { Result } from '../../protocol/result.ts'
import type { Standing } from '../credential/standing.ts'
import type { RefusedCredential } from '../credential/verify.ts'
import type { ExchangeClient } from './client.ts'
import type { RequestRefusal } from './refusal.ts'
import type { ExchangeWish } from './request.ts'

/** A credential with what its check said, which noted nothing. */
export interface CheckedCredential {
  readonly standing: Standing
  readonly isSecretPresented: boolean
  readonly verified: Result<Standing, RefusedCredential>
}

export interface Attempt {
  /** What the parameters ask for, or what is wrong with them. */
  readonly wish: Result<ExchangeWish, RequestRefusal>
  /** Null: what was presented is none. */
  readonly credential: CheckedCredential | null
  /** Null: nobody knows it. */
  readonly client: ExchangeClient | null
  readonly now: Date
}

/** An attempt with nothing wrong in its request, by a client that is known: the credential and its reach decide. */
export interface Trial {
  readonly wish: ExchangeWish
  readonly credential: CheckedCredential
  readonly client: ExchangeClient
  readonly now: Date
}

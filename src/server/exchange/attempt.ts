// An exchange to be explained: everything known about it, and nothing that was done.

import type { AccessTokenClaims } from '../../protocol/access-token.ts'
import type { Result } from '../../protocol/result.ts'
import type { Standing } from '../credential/standing.ts'
import type { RefusedCredential } from '../credential/verify.ts'
import type { ExchangeClient } from './client.ts'
import type { Nobody, RequestRefusal } from './refusal.ts'
import type { ExchangeWish } from './request.ts'

/** A credential with what its check said, which noted nothing. */
export interface CheckedCredential {
  readonly standing: Standing
  readonly isSecretPresented: boolean
  /** The access token of it that was presented; null: none was. */
  readonly token: AccessTokenClaims | null
  readonly verified: Result<Standing, RefusedCredential>
}

export interface Attempt {
  /** What the parameters ask for, or what is wrong with them. */
  readonly wish: Result<ExchangeWish, RequestRefusal>
  readonly credential: CheckedCredential | Nobody
  /** Of whoever is to act for the subject; undefined: nobody is to. */
  readonly actor: CheckedCredential | Nobody | undefined
  /** Null: nobody knows it. */
  readonly client: ExchangeClient | null
  readonly now: Date
}

/** An attempt with nothing wrong in its request, by a client that is known: the credential and its reach decide. */
export interface Trial {
  readonly wish: ExchangeWish
  readonly credential: CheckedCredential
  readonly actor: CheckedCredential | undefined
  readonly client: ExchangeClient
  readonly now: Date
}

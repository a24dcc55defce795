// Whether an access token is good by itself: header, key, signature, claims (RFC 9068 section 4, RFC 8725). Once the keys
// are known it needs no network, and of a token that was verified before only what may have changed is looked at.

import { AccessTokenHeaders } from './access-token-header.ts'
import { checkClaims, type ExpectedClaims, requireValidity, type VerifiedClaims } from './check-claims.ts'
import { isShort } from './compact-jwt.ts'
import { digest } from './digest.ts'
import { type RememberedToken, RememberedTokens } from './remembered-tokens.ts'
import type { RemoteKeys } from './remote-keys.ts'
import { VerifyError } from './verify-error.ts'
import { verifySignature } from './verify-signature.ts'

export interface VerifiedTokensSettings extends ExpectedClaims {
  readonly rememberedTokens: number
  readonly now: () => Date
}

export class VerifiedTokens {
  readonly #settings: VerifiedTokensSettings
  readonly #keys: RemoteKeys
  readonly #remembered: RememberedTokens
  readonly #headers = new AccessTokenHeaders()

  constructor(settings: VerifiedTokensSettings, keys: RemoteKeys) {
    this.#settings = settings
    this.#keys = keys
    this.#remembered = new RememberedTokens(settings.rememberedTokens)
  }

  /** The claims of a token at the instant `now`, at once when it is remembered. Throws `VerifyError`. */
  verify(token: string, now: Date): VerifiedClaims | Promise<VerifiedClaims> {
    if (!isShort(token)) throw new VerifyError('token_malformed', 'The token is not a JWT')
    if (this.#settings.rememberedTokens === 0) return this.#verifyAnew(token, now)
    const name = digest(token)
    return typeof name === 'string'
      ? this.#verifyNamed(name, token, now)
      : name.then((awaited) => this.#verifyNamed(awaited, token, now))
  }

  #verifyNamed(name: string, token: string, now: Date): VerifiedClaims | Promise<VerifiedClaims> {
    const remembered = this.#remembered.recall(name)
    return remembered && this.#isPublished(remembered, now)
      ? this.#requireValid(name, remembered, now)
      : this.#verifyAnew(token, now, name)
  }

  /** Not by a key that was withdrawn, and not while the issuer has to be asked whether it was. */
  #isPublished({ header, key }: RememberedToken, now: Date): boolean {
    return this.#keys.peek(header, now.getTime()) === key
  }

  #requireValid(name: string, { claims }: RememberedToken, now: Date): VerifiedClaims {
    try {
      requireValidity(claims, this.#settings.clockToleranceSeconds, now)
      return claims
    } catch (error) {
      this.#remembered.forget(name)
      throw error
    }
  }

  async #verifyAnew(token: string, now: Date, name?: string): Promise<VerifiedClaims> {
    const header = this.#headers.read(token)
    const key = this.#keys.peek(header, now.getTime()) ?? (await this.#keys.find(header))
    const payload = await verifySignature(token, header, key)
    this.#headers.keep(token, header)
    const claims = checkClaims(payload, this.#settings, this.#settings.now())
    if (name !== undefined) this.#remembered.remember(name, { claims, header, key })
    return claims
  }
}

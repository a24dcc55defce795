// Tokens that were verified, by their digest: a token itself is kept nowhere. As many as are allowed, those that were
// used last. What is remembered is that the signature and the claims were good; whether they still are, others say.

import type { CryptoKey } from 'jose'
import type { VerifiedClaims } from './check-claims.ts'
import type { JwtHeader } from './jwt-header.ts'

export interface RememberedToken {
  readonly claims: VerifiedClaims
  readonly header: JwtHeader
  /** What it was signed with: it may be withdrawn. */
  readonly key: CryptoKey
}

export class RememberedTokens {
  readonly #limit: number
  /** In the order of use. */
  readonly #tokens = new Map<string, RememberedToken>()

  constructor(limit: number) {
    this.#limit = limit
  }

  recall(digest: string): RememberedToken | undefined {
    const token = this.#tokens.get(digest)
    if (token) {
      this.#tokens.delete(digest)
      this.#tokens.set(digest, token)
    }
    return token
  }

  remember(digest: string, token: RememberedToken): void {
    if (this.#limit === 0) return
    this.#tokens.set(digest, token)
    if (this.#tokens.size <= this.#limit) return
    const [oldest = digest] = this.#tokens.keys()
    this.#tokens.delete(oldest)
  }

  forget(digest: string): void {
    this.#tokens.delete(digest)
  }
}

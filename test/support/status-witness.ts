// A service with the library, as a witness of what becomes of a credential: it never asks about a token.

import { createVerifier, type Verifier, VerifyError } from '../../src/verify/index.ts'

export type WitnessedStatus = 'valid' | 'revoked' | 'suspended' | 'unknown'

const STATUSES: Partial<Record<string, WitnessedStatus>> = {
  token_revoked: 'revoked',
  token_suspended: 'suspended',
  status_unavailable: 'unknown',
}

export class StatusWitness {
  readonly #verifier: Verifier

  /** Fetches over `server.url` what stands at `server.issuer`. */
  constructor(server: { readonly url: string; readonly issuer: string }, clock: () => Date) {
    this.#verifier = createVerifier({
      issuer: server.issuer,
      audience: null,
      clockToleranceSeconds: 0,
      now: clock,
      fetch: (url, init) => fetch(url.replace(server.issuer, server.url), init),
    })
  }

  /** What is known of an access token that is valid by itself. */
  async statusOf(token: string): Promise<WitnessedStatus> {
    try {
      await this.#verifier.verify(token)
      return 'valid'
    } catch (error) {
      const status = error instanceof VerifyError ? STATUSES[error.code] : undefined
      if (status === undefined) throw error
      return status
    }
  }
}

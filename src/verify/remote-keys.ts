// The issuer's public keys, as this process knows them: fetched when first needed, refreshed as they age and, once
// per cool-down, for a key nobody has seen. Keys already known outlive an issuer that is away. Knows no tokens.

import { type CryptoKey, createLocalJWKSet, errors } from 'jose'
import type { AccessTokenHeader } from './access-token-header.ts'
import { fetchJwks, type JwksSource } from './fetch-jwks.ts'
import { VerifyError } from './verify-error.ts'

const MAX_AGE_MS = 600_000
/** Pause after a fetch that worked: made-up key ids must not turn into requests to the issuer. */
const COOLDOWN_MS = 30_000
/** Pause after one that did not: an issuer that is struggling is not asked once per token. */
const RETRY_COOLDOWN_MS = 5_000

export interface RemoteKeysSettings extends JwksSource {
  readonly now: () => Date
  /** Known keys outlive an issuer that is away, but not for ever: one of them may have been withdrawn meanwhile. */
  readonly jwksMaxStaleSeconds: number
}

export class RemoteKeys {
  readonly #settings: RemoteKeysSettings
  #keySet: ReturnType<typeof createLocalJWKSet> | undefined
  #fetchedAt: Date | undefined
  #attemptedAt: Date | undefined
  /** Why the latest attempt failed; `undefined` after one that worked. */
  #failure: { readonly cause: unknown } | undefined
  #refreshing: Promise<void> | undefined

  constructor(settings: RemoteKeysSettings) {
    this.#settings = settings
  }

  /**
   * The key a token names. Throws `VerifyError`: `key_unknown` when the issuer does not publish it,
   * `keys_unavailable` when that cannot be told because the issuer is away or the key is unusable.
   */
  async find(header: AccessTokenHeader): Promise<CryptoKey> {
    if (!this.#isYoungerThan(this.#fetchedAt, MAX_AGE_MS)) {
      const refreshed = this.#refresh()
      // While the issuer stays away, only the first to notice waits for it.
      if (!this.#keySet || !this.#failure) await refreshed
      if (this.#ageMs(this.#fetchedAt) >= this.#settings.jwksMaxStaleSeconds * 1000) this.#keySet = undefined
    }
    const key = (await this.#select(header)) ?? (await this.#refreshAndSelect(header))
    if (key) return key
    throw this.#failure
      ? new VerifyError('keys_unavailable', 'The keys of the issuer are not available', this.#failure)
      : new VerifyError('key_unknown', 'The token is signed with an unknown key')
  }

  async #refreshAndSelect(header: AccessTokenHeader): Promise<CryptoKey | undefined> {
    await this.#refresh()
    return this.#select(header)
  }

  async #select(header: AccessTokenHeader): Promise<CryptoKey | undefined> {
    try {
      return await this.#keySet?.({ ...header })
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey) return undefined
      throw new VerifyError('keys_unavailable', 'The key of the issuer is not usable', { cause })
    }
  }

  /** Fetches unless cooling down; callers at the same time share one request. Never rejects. */
  #refresh(): Promise<void> {
    const cooldownMs = this.#failure ? RETRY_COOLDOWN_MS : COOLDOWN_MS
    if (this.#isYoungerThan(this.#attemptedAt, cooldownMs)) return Promise.resolve()
    this.#refreshing ??= this.#fetchKeySet().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #fetchKeySet(): Promise<void> {
    try {
      this.#keySet = createLocalJWKSet(await fetchJwks(this.#settings))
      this.#fetchedAt = this.#settings.now()
      this.#failure = undefined
    } catch (cause) {
      this.#failure = { cause }
    }
    this.#attemptedAt = this.#settings.now()
  }

  /** NaN for what never happened: no comparison with it holds. */
  #ageMs(instant: Date | undefined): number {
    return instant ? this.#settings.now().getTime() - instant.getTime() : Number.NaN
  }

  #isYoungerThan(instant: Date | undefined, durationMs: number): boolean {
    const ageMs = this.#ageMs(instant)
    // A clock set back must not make keys young for as long as it was set back.
    return ageMs >= 0 && ageMs < durationMs
  }
}

// The issuer's public keys, as this process knows them: kept as any document of the issuer is, and asked for anew, once
// per cool-down, for a key nobody has seen. Knows no tokens.

import type { CryptoKey } from 'jose'
import { fetchJwks, type JwksSource } from './fetch-jwks.ts'
import type { JwtHeader } from './jwt-header.ts'
import { type Copy, KeptDocument, type Schedule } from './kept-document.ts'
import { importKeySet, type KeySet, selectKey } from './key-set.ts'
import { VerifyError } from './verify-error.ts'

/** Made-up key ids must not turn into requests to the issuer. */
const COOLDOWN_MS = 30_000

export interface RemoteKeysSettings extends JwksSource {
  /** Known keys outlive an issuer that is away, but not for ever: one of them may have been withdrawn meanwhile. */
  readonly jwksMaxStaleSeconds: number
  readonly now: () => Date
  readonly schedule: Schedule
  readonly onFetched?: (() => void) | undefined
}

export class RemoteKeys {
  readonly #settings: RemoteKeysSettings
  readonly #kept: KeptDocument<KeySet>

  constructor(settings: RemoteKeysSettings) {
    this.#settings = settings
    this.#kept = new KeptDocument({ ...settings, fetch: (previous) => this.#fetchKeySet(previous) })
  }

  /** The key a token names, where that can be told without waiting. */
  peek(header: JwtHeader, nowMs: number): CryptoKey | undefined {
    const keySet = this.#kept.peek(nowMs)
    return (keySet && selectKey(keySet, header)) ?? undefined
  }

  /**
   * The key a token names. Throws `VerifyError`: `key_unknown` when the issuer does not publish it,
   * `keys_unavailable` when that cannot be told because the issuer is away or the key is unusable.
   */
  async find(header: JwtHeader): Promise<CryptoKey> {
    const key = (await this.#select(header)) ?? (await this.#refreshAndSelect(header))
    if (key) return key
    throw this.#kept.failure
      ? new VerifyError('keys_unavailable', 'The keys of the issuer are not available', this.#kept.failure)
      : new VerifyError('key_unknown', 'The token is signed with an unknown key')
  }

  close(): void {
    this.#kept.close()
  }

  async #refreshAndSelect(header: JwtHeader): Promise<CryptoKey | undefined> {
    await this.#kept.refresh(COOLDOWN_MS)
    return this.#select(header)
  }

  async #select(header: JwtHeader): Promise<CryptoKey | undefined> {
    const keySet = await this.#kept.get()
    const key = keySet && selectKey(keySet, header)
    if (key === null) throw new VerifyError('keys_unavailable', 'The key of the issuer is not usable')
    return key
  }

  async #fetchKeySet(previous: KeySet | undefined): Promise<Copy<KeySet>> {
    const { jwks, maxAgeSeconds } = await fetchJwks(this.#settings)
    const fetchedAt = this.#settings.now().getTime()
    const freshUntil = fetchedAt + maxAgeSeconds * 1000
    const usableUntil = Math.max(freshUntil, fetchedAt + this.#settings.jwksMaxStaleSeconds * 1000)
    return { value: await importKeySet(jwks, previous), fetchedAt, freshUntil, usableUntil }
  }
}

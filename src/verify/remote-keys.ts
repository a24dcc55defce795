// The issuer's public keys, as this process knows them: kept as every document of the issuer is, and asked for anew, once
// per cool-down, for a key nobody has seen. Knows no tokens.

import type { CryptoKey } from 'jose'
import { fetchJwks, type JwksSource } from './fetch-jwks.ts'
import type { JwtHeader } from './jwt-header.ts'
import { type Copy, KeptDocument } from './kept-document.ts'
import { importKeySet, type KeySet, selectKey } from './key-set.ts'
import type { Schedule } from './schedule.ts'
import type { KeptKeys } from './snapshot.ts'
import { VerifyError } from './verify-error.ts'

/** Made-up key ids must not turn into requests to the issuer. */
const COOLDOWN_MS = 30_000
/** What the issuer signed by itself is no made-up id. */
const ISSUER_COOLDOWN_MS = 5_000
/** An id that is not among keys so young is one the issuer does not publish. */
const SURE_MS = 5_000

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
    this.#kept = new KeptDocument({ ...settings, fetch: (signal) => this.#fetchKeySet(signal) })
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
  find(header: JwtHeader): Promise<CryptoKey> {
    return this.#find(header, COOLDOWN_MS)
  }

  /** The key that something names which came from the issuer itself: it is looked for sooner. Throws as `find`. */
  findForIssued(header: JwtHeader): Promise<CryptoKey> {
    return this.#find(header, ISSUER_COOLDOWN_MS)
  }

  async #find(header: JwtHeader, cooldownMs: number): Promise<CryptoKey> {
    const key = (await this.#select(header)) ?? (await this.#refreshAndSelect(header, cooldownMs))
    if (key) return key
    const { failure } = this.#kept
    // During the cool-down nobody knows: told 401, a client would throw a token away whose key is new.
    if (failure || !this.#isSure())
      throw new VerifyError('keys_unavailable', 'The keys of the issuer are not available', failure)
    throw new VerifyError('key_unknown', 'The token is signed with an unknown key')
  }

  #isSure(): boolean {
    const ageMs = this.#settings.now().getTime() - (this.#kept.copy?.fetchedAt ?? 0)
    return ageMs >= 0 && ageMs < SURE_MS
  }

  /** The key a header names among those that are known, whatever their age; nobody is asked. */
  findKnown(header: JwtHeader): CryptoKey {
    const keySet = this.#kept.copy?.value
    const key = keySet && selectKey(keySet, header)
    if (!key) throw new VerifyError('key_unknown', 'The token is signed with an unknown key')
    return key
  }

  /** Whether this key is among those that are known, whatever their age. */
  isKnown(header: JwtHeader, key: CryptoKey): boolean {
    const keySet = this.#kept.copy?.value
    return keySet !== undefined && selectKey(keySet, header) === key
  }

  /** The keys that are known, as they were fetched. */
  get kept(): KeptKeys | undefined {
    const copy = this.#kept.copy
    if (!copy) return undefined
    const { value, fetchedAt, freshUntil } = copy
    return { jwks: value.jwks, fetchedAt, maxAgeSeconds: (freshUntil - fetchedAt) / 1000 }
  }

  /** Takes keys that were kept elsewhere, if they serve still and are newer than what is known. Does no I/O. */
  async adopt({ jwks, fetchedAt, maxAgeSeconds }: KeptKeys): Promise<boolean> {
    // Kept by a clock that was ahead, they are not younger than now.
    const at = Math.min(fetchedAt, this.#settings.now().getTime())
    const keySet = await importKeySet(jwks, this.#kept.copy?.value)
    return this.#kept.adopt(this.#date(keySet, at, maxAgeSeconds))
  }

  close(): void {
    this.#kept.close()
  }

  async #refreshAndSelect(header: JwtHeader, cooldownMs: number): Promise<CryptoKey | undefined> {
    await this.#kept.refresh(cooldownMs)
    return this.#select(header)
  }

  async #select(header: JwtHeader): Promise<CryptoKey | undefined> {
    const keySet = await this.#kept.get()
    const key = keySet && selectKey(keySet, header)
    if (key === null) throw new VerifyError('keys_unavailable', 'The key of the issuer is not usable')
    return key
  }

  async #fetchKeySet(signal: AbortSignal): Promise<Copy<KeySet>> {
    const { jwks, maxAgeSeconds } = await fetchJwks({ ...this.#settings, signal })
    const keySet = await importKeySet(jwks, this.#kept.copy?.value)
    return this.#date(keySet, this.#settings.now().getTime(), maxAgeSeconds)
  }

  #date(value: KeySet, fetchedAt: number, maxAgeSeconds: number): Copy<KeySet> {
    const freshUntil = fetchedAt + maxAgeSeconds * 1000
    const usableUntil = Math.max(freshUntil, fetchedAt + this.#settings.jwksMaxStaleSeconds * 1000)
    return { value, fetchedAt, freshUntil, usableUntil }
  }
}

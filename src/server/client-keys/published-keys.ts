// The keys that clients publish at a URL, as this process knows them: fetched when first needed, anew as they age and,
// once per cool-down, for a key nobody has seen. Known keys outlive a host that is away, but not for ever.

import { LRUCache } from 'lru-cache'
import type { KeySet } from './read-key-set.ts'

/** A key that was taken down stops working after this. */
const MAX_AGE_MS = 300_000
const MAX_STALE_MS = 3_600_000
/** Pause after a fetch that worked: made-up key ids must not turn into requests to somebody's host. */
const COOLDOWN_MS = 30_000
/** Pause after one that did not. */
const RETRY_COOLDOWN_MS = 10_000
const MAX_URLS = 1000

/** Whether a client signed as it should cannot be told, for its keys could not be fetched. */
export class KeysUnavailable extends Error {
  constructor(cause: unknown) {
    super('the keys of the client are not available', { cause })
  }
}

export interface PublishedKeysSettings {
  readonly fetchKeySet: (url: string) => Promise<KeySet>
  /** Milliseconds on a clock that never steps. */
  readonly nowMs: () => number
  /** Told of each fetch that failed. */
  readonly onFailure: (url: string, error: unknown) => void
}

interface Entry {
  keySet: KeySet | undefined
  fetchedAtMs: number
  attemptedAtMs: number
  /** Why the latest attempt failed; undefined after one that worked. */
  failure: { readonly cause: unknown } | undefined
  refreshing: Promise<void> | undefined
}

export class PublishedKeys {
  readonly #settings: PublishedKeysSettings
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_URLS })

  constructor(settings: PublishedKeysSettings) {
    this.#settings = settings
  }

  /**
   * The keys at `url`, for a signature that names `keyId`, if it names one. Throws `KeysUnavailable` when none are known,
   * or not that one, and the latest attempt to fetch them failed.
   */
  async find(url: string, keyId: string | undefined): Promise<KeySet> {
    const entry = this.#entryOf(url)
    if (!this.#isYoungerThan(entry.fetchedAtMs, MAX_AGE_MS)) {
      const refreshed = this.#refresh(url, entry)
      // While the host stays away, only the first to notice waits for it.
      if (!entry.keySet || !entry.failure) await refreshed
      if (!this.#isYoungerThan(entry.fetchedAtMs, MAX_STALE_MS)) entry.keySet = undefined
    }
    if (!has(entry.keySet, keyId)) await this.#refresh(url, entry)
    const { keySet, failure } = entry
    if (!keySet || (failure && !has(keySet, keyId))) throw new KeysUnavailable(failure?.cause)
    return keySet
  }

  #entryOf(url: string): Entry {
    const known = this.#entries.get(url)
    if (known) return known
    const never = Number.NEGATIVE_INFINITY
    const entry = {
      keySet: undefined,
      fetchedAtMs: never,
      attemptedAtMs: never,
      failure: undefined,
      refreshing: undefined,
    }
    this.#entries.set(url, entry)
    return entry
  }

  /** Fetches unless cooling down; those who ask at the same time share one request. Never rejects. */
  #refresh(url: string, entry: Entry): Promise<void> {
    const cooldownMs = entry.failure ? RETRY_COOLDOWN_MS : COOLDOWN_MS
    if (this.#isYoungerThan(entry.attemptedAtMs, cooldownMs)) return Promise.resolve()
    entry.refreshing ??= this.#fetch(url, entry).finally(() => {
      entry.refreshing = undefined
    })
    return entry.refreshing
  }

  async #fetch(url: string, entry: Entry): Promise<void> {
    const { fetchKeySet, nowMs, onFailure } = this.#settings
    try {
      entry.keySet = await fetchKeySet(url)
      entry.fetchedAtMs = nowMs()
      entry.failure = undefined
    } catch (cause) {
      entry.failure = { cause }
      onFailure(url, cause)
    }
    entry.attemptedAtMs = nowMs()
  }

  #isYoungerThan(instantMs: number, durationMs: number): boolean {
    return this.#settings.nowMs() - instantMs < durationMs
  }
}

/** Whether a key of this id, or any key for a signature without one, is known. */
const has = (keySet: KeySet | undefined, keyId: string | undefined): boolean =>
  keySet !== undefined && (keyId === undefined || keySet.keys.some(({ kid }) => kid === keyId))

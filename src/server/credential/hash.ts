// The only importer of argon2 for credentials: hashes the secret part, and remembers what matched.
// Parameters are light because the secret has 160 random bits; the pepper keeps a stolen database useless. A wrong secret
// is told by its tag, without a hash; every hash waits its turn in a bounded queue.

import { hash, randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { LRUCache } from 'lru-cache'
import { generateCredential, type PresentedCredential } from '../../protocol/credential.ts'
import type { HashQueue } from './hash-queue.ts'
import { type CredentialKeys, fitsMark, isCurrent, type Mark, makeMark, packMark, readMark } from './mark.ts'

export interface HashParameters {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

export interface HasherOptions {
  /** Told of each comparison that gets to the hash whether it was spared. */
  readonly onCheck?: ((isRemembered: boolean) => void) | undefined
  /** Puts a hash in the place of one by another key, without a tag or of another cost. */
  readonly renewal?: HashRenewal
}

export interface HashRenewal {
  readonly replaceHash: (id: string, outdated: string, fresh: string) => Promise<void>
  /** The old hash goes on working. */
  readonly onError: (error: unknown) => void
}

const REMEMBERED_MATCHES = 100_000

export class CredentialHasher {
  readonly #keys: CredentialKeys
  readonly #cost: { readonly memoryCost: number; readonly timeCost: number; readonly parallelism: number }
  readonly #queue: HashQueue
  readonly #options: HasherOptions
  /** Dies with the process, so remembered matches are worthless anywhere else. */
  readonly #memoryKey = randomBytes(32).toString('hex')
  readonly #matches = new LRUCache<string, string>({ max: REMEMBERED_MATCHES })
  /** Comparisons under way, by value and hash: whoever asks the same meanwhile gets the same answer. */
  readonly #comparisons = new Map<string, Promise<boolean>>()
  /** Of a value that nobody has. */
  readonly #nobodys: Mark

  constructor(
    keys: CredentialKeys,
    { memoryKib, passes, lanes }: HashParameters,
    queue: HashQueue,
    options: HasherOptions = {},
  ) {
    this.#keys = keys
    this.#nobodys = makeMark(keys, generateCredential('personal', randomBytes))
    this.#cost = { memoryCost: memoryKib, timeCost: passes, parallelism: lanes }
    this.#queue = queue
    this.#options = options
  }

  /** `$argon2id$…` of the secret part, with its own salt and the current pepper. Throws when overloaded. */
  hash(credential: PresentedCredential): Promise<string> {
    const mark = makeMark(this.#keys, credential)
    return this.#queue.run(() =>
      argon2.hash(credential.revealSecret(), {
        type: argon2.argon2id,
        ...this.#cost,
        secret: this.#keys.peppers.require(mark.keyId).bytes,
        associatedData: packMark(mark),
      }),
    )
  }

  /**
   * Whether the secret part belongs to `secretHash`; undefined belongs to nobody, and takes the time of a wrong secret.
   * argon2id runs once per process and credential: a remembered match counts only for the very hash it was made with, so a
   * row that changed is verified anew. Throws when overloaded.
   */
  async matches(credential: PresentedCredential, secretHash: string | undefined): Promise<boolean> {
    const memo = this.#memoOf(credential)
    const remembered = this.#matches.get(memo)
    if (remembered !== undefined && remembered === secretHash) {
      this.#options.onCheck?.(true)
      return true
    }
    const mark = secretHash === undefined ? this.#nobodys : readMark(secretHash)
    if (!mark) throw new Error(`credential ${credential.id} has a hash without a pepper`)
    if (!fitsMark(this.#keys, mark, credential) || secretHash === undefined) return false
    this.#options.onCheck?.(false)
    if (!(await this.#compareOnce(memo + secretHash, credential, secretHash, mark))) return false
    this.#matches.set(memo, secretHash)
    // Once per process: two that disagree on what is current, as while keys are rotated, must not go on and on.
    if (remembered === undefined) this.#renewIfOutdated(credential, secretHash, mark)
    return true
  }

  /** Whether this very value matched in this process before: it is no guess, whatever else stands against it. */
  remembers(credential: PresentedCredential): boolean {
    return this.#matches.has(this.#memoOf(credential))
  }

  #renewIfOutdated(credential: PresentedCredential, secretHash: string, mark: Mark): void {
    const { renewal } = this.#options
    if (!renewal || (isCurrent(this.#keys, mark) && !argon2.needsRehash(secretHash, this.#cost))) return
    const renew = async (): Promise<void> =>
      renewal.replaceHash(credential.id, secretHash, await this.hash(credential))
    renew().catch(renewal.onError)
  }

  #compareOnce(
    key: string,
    credential: PresentedCredential,
    secretHash: string,
    { keyId }: Mark,
  ): Promise<boolean> {
    const underWay = this.#comparisons.get(key)
    if (underWay) return underWay
    const secret = this.#keys.peppers.require(keyId).bytes
    const comparison = this.#queue
      .run(() => argon2.verify(secretHash, credential.revealSecret(), { secret }))
      .finally(() => this.#comparisons.delete(key))
    this.#comparisons.set(key, comparison)
    return comparison
  }

  #memoOf(credential: PresentedCredential): string {
    // A MAC, because all its input has one length: nobody can extend one that is known.
    return hash('sha256', this.#memoryKey + credential.id + credential.revealSecret(), 'base64')
  }
}

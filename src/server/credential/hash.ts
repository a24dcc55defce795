// The only importer of argon2 for credentials: hashes the secret part, and remembers what matched.
// Parameters are light because the secret has 160 random bits; the pepper keeps a stolen database useless. Every hash
// waits its turn in a bounded queue.

import { hash, randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import { LRUCache } from 'lru-cache'
import { generateCredential, type PresentedCredential } from '../../protocol/credential.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'
import type { HashQueue } from './hash-queue.ts'

export interface HashParameters {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
}

const REMEMBERED_MATCHES = 100_000
/** PHC string: `data` (base64) is argon2's associated data, which carries the pepper's id. */
const PEPPER_ID = /^\$argon2id\$v=19\$[^$]*\bdata=([A-Za-z0-9+/]+)/

export class CredentialHasher {
  readonly #peppers: DerivedKeys
  readonly #parameters: HashParameters
  readonly #queue: HashQueue
  readonly #onCheck: ((isRemembered: boolean) => void) | undefined
  /** Dies with the process, so remembered matches are worthless anywhere else. */
  readonly #memoryKey = randomBytes(32).toString('hex')
  readonly #matches = new LRUCache<string, string>({ max: REMEMBERED_MATCHES })
  /** Comparisons under way, by value and hash: whoever asks the same meanwhile gets the same answer. */
  readonly #comparisons = new Map<string, Promise<boolean>>()
  #nothing: string | undefined

  /** `onCheck` is told of each comparison whether it was spared. */
  constructor(
    peppers: DerivedKeys,
    parameters: HashParameters,
    queue: HashQueue,
    onCheck?: (isRemembered: boolean) => void,
  ) {
    this.#peppers = peppers
    this.#parameters = parameters
    this.#queue = queue
    this.#onCheck = onCheck
  }

  /** `$argon2id$…` of the secret part, with its own salt and the current pepper. Throws when overloaded. */
  hash(credential: PresentedCredential): Promise<string> {
    const pepper = this.#peppers.current
    return this.#queue.run(credential.id, () =>
      argon2.hash(credential.revealSecret(), {
        type: argon2.argon2id,
        memoryCost: this.#parameters.memoryKib,
        timeCost: this.#parameters.passes,
        parallelism: this.#parameters.lanes,
        secret: pepper.bytes,
        associatedData: Buffer.from(pepper.id, 'base64url'),
      }),
    )
  }

  /**
   * Whether the secret part belongs to `secretHash`. argon2id runs once per process and credential: a remembered
   * match counts only for the very hash it was made with, so a row that changed is verified anew. Throws when
   * overloaded.
   */
  async matches(credential: PresentedCredential, secretHash: string): Promise<boolean> {
    const memo = this.#memoOf(credential)
    const isRemembered = this.#matches.get(memo) === secretHash
    this.#onCheck?.(isRemembered)
    if (isRemembered) return true
    const key = memo + secretHash
    const underWay = this.#comparisons.get(key)
    if (underWay) return underWay
    const comparison = this.#compare(credential, secretHash).finally(() => this.#comparisons.delete(key))
    this.#comparisons.set(key, comparison)
    if (!(await comparison)) return false
    this.#matches.set(memo, secretHash)
    return true
  }

  /** Compares with the hash of a value that nobody has: takes the time of a comparison that fails. */
  async compareWithNothing(credential: PresentedCredential): Promise<void> {
    this.#nothing ??= await this.hash(generateCredential('personal', randomBytes))
    await this.#compare(credential, this.#nothing)
  }

  /** Whether this very value matched in this process before: it is no guess, whatever else stands against it. */
  remembers(credential: PresentedCredential): boolean {
    return this.#matches.has(this.#memoOf(credential))
  }

  async #compare(credential: PresentedCredential, secretHash: string): Promise<boolean> {
    const pepperId = PEPPER_ID.exec(secretHash)?.[1]
    if (pepperId === undefined) throw new Error(`credential ${credential.id} has a hash without a pepper`)
    const pepper = this.#peppers.require(Buffer.from(pepperId, 'base64').toString('base64url'))
    return this.#queue.run(credential.id, () =>
      argon2.verify(secretHash, credential.revealSecret(), { secret: pepper.bytes }),
    )
  }

  #memoOf(credential: PresentedCredential): string {
    // A MAC, because all its input has one length: nobody can extend one that is known.
    return hash('sha256', this.#memoryKey + credential.id + credential.revealSecret(), 'base64')
  }
}

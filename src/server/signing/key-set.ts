// The keys of the ring as one process knows them at one time: which stand in the JWKS, and which one signs. Never changes;
// the ring puts another one in its place.

import { createLocalJWKSet, type importJWK } from 'jose'
import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import { type KeyState, stateOf } from './key-life.ts'
import type { SigningKeyRow } from './store.ts'

export type PrivateKey = Awaited<ReturnType<typeof importJWK>>

export interface Signer {
  readonly kid: string
  readonly key: PrivateKey
}

export class KeySet {
  readonly #rows: readonly SigningKeyRow[]
  readonly privateKeys: ReadonlyMap<string, PrivateKey>
  /** The JWK Set to publish (RFC 7517 section 5). */
  readonly publicJwks: { readonly keys: readonly Readonly<Record<string, string>>[] }
  /** Finds the key that a token's header names. */
  readonly findKey: ReturnType<typeof createLocalJWKSet>

  /** `rows` are those that are not gone, in the order in which they sign. */
  constructor(rows: readonly SigningKeyRow[], privateKeys: ReadonlyMap<string, PrivateKey>) {
    this.#rows = rows
    this.privateKeys = privateKeys
    this.publicJwks = { keys: rows.map(({ publicJwk }) => publicJwk) }
    this.findKey = createLocalJWKSet({
      keys: this.publicJwks.keys.map((key) => ({ ...key, kty: key['kty'] ?? '' })),
    })
  }

  /**
   * The key that signs with `alg` at `now`. A clock that is behind the one of whoever made it finds none that does yet, and
   * takes the next one rather than one that is retired, whose tokens might outlive its stay in the JWKS.
   */
  current(alg: SigningAlgorithm, now: Date): SigningKeyRow {
    const keys = this.#rows.filter((row) => row.alg === alg)
    const within = (state: KeyState) => (key: SigningKeyRow) => stateOf(key, now) === state
    const key = keys.findLast(within('active')) ?? keys.find(within('published')) ?? keys.at(-1)
    if (!key) throw new Error(`no signing key for ${alg}`)
    return key
  }

  signer(alg: SigningAlgorithm, now: Date): Signer {
    const { kid } = this.current(alg, now)
    const key = this.privateKeys.get(kid)
    if (!key) throw new Error(`no private key for ${kid}`)
    return { kid, key }
  }
}

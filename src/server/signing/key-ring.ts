// The key ring all instances share: which keys stand in the JWKS, and which one signs now.

import { CompactSign, importJWK, type JWK } from 'jose'
import {
  ACCESS_TOKEN_TYP,
  type AccessTokenClaims,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from '../../protocol/access-token.ts'
import type { Database } from '../db/database.ts'
import { lockUntilEnd } from '../db/lock.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'
import { createSigningKey, unsealPrivateKey } from './sealed-key.ts'
import { insertSigningKey, listSigningKeys, type SigningKeyRow } from './store.ts'

type PrivateKey = Awaited<ReturnType<typeof importJWK>>

const encoder = new TextEncoder()

export class KeyRing {
  readonly #rows: readonly SigningKeyRow[]
  readonly #privateKeys: ReadonlyMap<string, PrivateKey>
  /** Private JWKs, for oidc-provider alone. */
  readonly privateJwks: readonly JWK[]

  constructor(
    rows: readonly SigningKeyRow[],
    privateJwks: readonly JWK[],
    privateKeys: ReadonlyMap<string, PrivateKey>,
  ) {
    this.#rows = rows
    this.#privateKeys = privateKeys
    this.privateJwks = privateJwks
  }

  /** The JWK Set to publish (RFC 7517 section 5). */
  get publicJwks(): { readonly keys: readonly Readonly<Record<string, string>>[] } {
    return { keys: this.#rows.map(({ publicJwk }) => publicJwk) }
  }

  /**
   * `kid` of the key that signs with `alg` at `now`: the one activated last. A clock that is behind the one of the
   * instance that made the keys gets the oldest.
   */
  signingKid(alg: SigningAlgorithm, now: Date): string {
    return this.#signingKey(alg, now).kid
  }

  /** Since when the key that signs with each algorithm at `now` has been active. */
  listActivations(now: Date): [SigningAlgorithm, Date][] {
    return SIGNING_ALGORITHMS.map((alg) => [alg, this.#signingKey(alg, now).activatesAt])
  }

  #signingKey(alg: SigningAlgorithm, now: Date): SigningKeyRow {
    const keys = this.#rows.filter((row) => row.alg === alg)
    const key = keys.findLast(({ activatesAt }) => activatesAt <= now) ?? keys[0]
    if (!key) throw new Error(`no signing key for ${alg}`)
    return key
  }

  /** An access token (RFC 9068) with these claims, in JWS compact form, by the key that signs with `alg` at `now`. */
  async signAccessToken(alg: SigningAlgorithm, claims: AccessTokenClaims, now: Date): Promise<string> {
    const kid = this.signingKid(alg, now)
    const key = this.#privateKeys.get(kid)
    if (!key) throw new Error(`no private key for ${kid}`)
    return new CompactSign(encoder.encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg, typ: ACCESS_TOKEN_TYP, kid })
      .sign(key)
  }
}

/**
 * Loads the ring, making one key per algorithm that has none. All four exist from the start, so that verifiers
 * have cached a key before a resource server first asks for its algorithm.
 */
export async function openKeyRing(db: Database, encryption: DerivedKeys, now: Date): Promise<KeyRing> {
  const rows = await db.transaction().execute(async (transaction) => {
    // Instances that start together wait here, and all but the first find the keys made.
    await lockUntilEnd(transaction, 'patmint.signing_keys')
    const present = await listSigningKeys(transaction, now)
    const missing = SIGNING_ALGORITHMS.filter((alg) => !present.some((row) => row.alg === alg))
    const made = await Promise.all(missing.map((alg) => createSigningKey(alg, encryption, now)))
    for (const key of made) await insertSigningKey(transaction, key)
    // Read back, so that whoever made the keys publishes the same bytes as everyone who found them.
    return listSigningKeys(transaction, now)
  })
  const privateJwks = await Promise.all(rows.map((row) => unsealPrivateKey(row, encryption)))
  const privateKeys = await Promise.all(
    privateJwks.map(async (jwk) => [String(jwk.kid), await importJWK(jwk)] as const),
  )
  return new KeyRing(rows, privateJwks, new Map(privateKeys))
}

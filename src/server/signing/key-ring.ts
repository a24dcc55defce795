// The key ring all instances share, as one process follows it: what it publishes, signs and verifies with is one set of
// keys, replaced as a whole by the next. Nothing here asks the database but `follow`.

import { CompactSign, decodeProtectedHeader, importJWK } from 'jose'
import {
  ACCESS_TOKEN_TYP,
  type AccessTokenClaims,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from '../../protocol/access-token.ts'
import { STATUS_LIST_TYP, type StatusListClaims } from '../../protocol/status-list.ts'
import type { Database } from '../db/database.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'
import { KeySet } from './key-set.ts'
import { unsealPrivateKey } from './sealed-key.ts'
import { insertSigningKey, listSigningKeys, lockSigningKeys, type SigningKeyRow } from './store.ts'
import { createFirstKey } from './turn-keys.ts'

const encoder = new TextEncoder()

/** Gives the keys there are now. Those of the set before need not be unsealed again. */
export type LoadKeys = (known: KeySet) => Promise<KeySet>

export class KeyRing {
  readonly #load: LoadKeys
  #keys: KeySet
  #following: Promise<unknown> = Promise.resolve()

  constructor(keys: KeySet, load: LoadKeys) {
    this.#keys = keys
    this.#load = load
  }

  /**
   * Takes over what the database says now. One at a time, so that what was read first never replaces what was read
   * later. When it fails the keys stay as they are.
   */
  follow(): Promise<void> {
    const turn = this.#following.then(async () => {
      this.#keys = await this.#load(this.#keys)
    })
    this.#following = turn.catch(() => {})
    return turn
  }

  /** The JWK Set to publish (RFC 7517 section 5). */
  get publicJwks(): KeySet['publicJwks'] {
    return this.#keys.publicJwks
  }

  /** Finds the key that a token's header names, as long as it is in the JWKS. */
  get findKey(): KeySet['findKey'] {
    return this.#keys.findKey
  }

  /** Whether the key that signed a token of ours stands in the JWKS: it may have been withdrawn since. */
  stillPublishes(token: string): boolean {
    const { kid } = decodeProtectedHeader(token)
    return this.publicJwks.keys.some((key) => key['kid'] === kid)
  }

  /** Since when the key that signs with each algorithm at `now` has been active. */
  listActivations(now: Date): [SigningAlgorithm, Date][] {
    return SIGNING_ALGORITHMS.map((alg) => [alg, this.#keys.current(alg, now).activatesAt])
  }

  /** An access token (RFC 9068) with these claims, in JWS compact form, by the key that signs with `alg` at `now`. */
  signAccessToken(alg: SigningAlgorithm, claims: AccessTokenClaims, now: Date): Promise<string> {
    return this.#sign(alg, ACCESS_TOKEN_TYP, claims, now)
  }

  /** A Status List Token with these claims, in JWS compact form: like every token of ours, by a key of the JWKS. */
  signStatusList(claims: StatusListClaims, now: Date): Promise<string> {
    return this.#sign('ES256', STATUS_LIST_TYP, claims, now)
  }

  async #sign(alg: SigningAlgorithm, typ: string, claims: object, now: Date): Promise<string> {
    const { kid, key } = this.#keys.signer(alg, now)
    return new CompactSign(encoder.encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg, typ, kid })
      .sign(key)
  }
}

/**
 * Opens the ring, making one key per algorithm that has none. All four exist from the start, so that verifiers
 * have cached a key before a resource server first asks for its algorithm.
 */
export async function openKeyRing(
  db: Database,
  encryption: DerivedKeys,
  clock: () => Date,
): Promise<KeyRing> {
  await db.transaction().execute(async (transaction) => {
    // Instances that start together wait here, and all but the first find the keys made.
    await lockSigningKeys(transaction)
    const now = clock()
    const present = await listSigningKeys(transaction, now)
    const missing = SIGNING_ALGORITHMS.filter((alg) => !present.some((row) => row.alg === alg))
    const made = await Promise.all(missing.map((alg) => createFirstKey(alg, encryption, now)))
    for (const key of made) await insertSigningKey(transaction, key)
  })
  // Read back, so that whoever made the keys publishes the same bytes as everyone who found them.
  const load: LoadKeys = async (known) => {
    const rows = await listSigningKeys(db, clock())
    return new KeySet(rows, await unsealAll(rows, encryption, known))
  }
  return new KeyRing(await load(new KeySet([], new Map())), load)
}

async function unsealAll(
  rows: readonly SigningKeyRow[],
  encryption: DerivedKeys,
  known: KeySet,
): Promise<KeySet['privateKeys']> {
  const entries = rows.map(async (row) => {
    const key = known.privateKeys.get(row.kid) ?? (await importJWK(await unsealPrivateKey(row, encryption)))
    return [row.kid, key] as const
  })
  return new Map(await Promise.all(entries))
}

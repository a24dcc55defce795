// The operator's secret keys and what is derived from them (HKDF, RFC 5869). One derived key per purpose, so that
// a weakness in one use never reaches another. Several keys may be configured: the first is used, all are accepted.

import { createHash, hkdfSync } from 'node:crypto'

export type SecretPurpose =
  | 'credential-pepper'
  | 'credential-tag'
  | 'password-pepper'
  | 'client-secret'
  | 'signing-key-encryption'
  | 'dpop-nonce'

export interface DerivedKey {
  /** Names the secret key it comes from, without telling anything about it; stored beside what was made with it. */
  readonly id: string
  readonly bytes: Buffer
}

const KEY_BYTES = 32
/** Of the id of a secret key. */
export const KEY_ID_BYTES = 6

function derive(secretKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', `patmint/${purpose}`, KEY_BYTES))
}

/** The id under which a secret key's products are recorded: 8 base64url characters. */
function identify(secretKey: Buffer): string {
  return createHash('sha256')
    .update(derive(secretKey, 'key-id'))
    .digest()
    .subarray(0, KEY_ID_BYTES)
    .toString('base64url')
}

/** All derived keys of one purpose. `current` is the one to make new things with. */
export class DerivedKeys {
  readonly current: DerivedKey
  /** The current one first. */
  readonly all: readonly DerivedKey[]
  readonly #byId: ReadonlyMap<string, DerivedKey>

  constructor(secretKeys: readonly [Buffer, ...Buffer[]], purpose: SecretPurpose) {
    const toDerived = (key: Buffer): DerivedKey => ({ id: identify(key), bytes: derive(key, purpose) })
    this.current = toDerived(secretKeys[0])
    this.all = secretKeys.map(toDerived)
    this.#byId = new Map(this.all.map((key) => [key.id, key]))
  }

  /** The key recorded under `id`; throws when that secret key is no longer configured. */
  require(id: string): DerivedKey {
    const key = this.#byId.get(id)
    if (!key) throw new UnknownSecretKeyError(id)
    return key
  }
}

/** Something in the database was made with a secret key this process was not given. */
export class UnknownSecretKeyError extends Error {
  readonly code = 'secret_key_unknown'

  constructor(id: string) {
    super(`PATMINT_SECRET_KEY lacks the key "${id}" that the database was written with`)
  }
}

export const deriveKeys = (secretKeys: readonly [Buffer, ...Buffer[]], purpose: SecretPurpose): DerivedKeys =>
  new DerivedKeys(secretKeys, purpose)

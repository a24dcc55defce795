// Client secrets at rest: salted HMAC-SHA-256 under a derived key. Keyed, so a stolen database cannot be guessed
// against; fast, because it is checked at every exchange.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32Hex } from '../../protocol/crc32.ts'
import type { DerivedKeys } from '../secret/secret-keys.ts'

/** What a secret that was generated begins with, for those who look for leaked ones. */
const SECRET_PREFIX = 'patmint_cs_'
const SECRET_BYTES = 32
const SALT_BYTES = 16
const FORMAT = /^\$hmac-sha256\$k=([\w-]+)\$([\w-]+)\$([\w-]+)$/

function digest(secret: string, salt: Buffer, key: Buffer): Buffer {
  return createHmac('sha256', key).update(salt).update(secret).digest()
}

/** A new secret nobody can guess: 256 random bits, between a prefix and a checksum by which it is found where it leaks. */
export function generateClientSecret(): string {
  const secret = randomBytes(SECRET_BYTES).toString('hex')
  return SECRET_PREFIX + secret + crc32Hex(secret)
}

export function hashClientSecret(secret: string, keys: DerivedKeys): string {
  const salt = randomBytes(SALT_BYTES)
  const hash = digest(secret, salt, keys.current.bytes)
  return `$hmac-sha256$k=${keys.current.id}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** Whether `secret` is the one hashed, in constant time. Throws when the key it was hashed under is unknown. */
export function matchesClientSecret(secret: string, stored: string, keys: DerivedKeys): boolean {
  const [, keyId, salt, hash] = FORMAT.exec(stored) ?? []
  if (keyId === undefined || salt === undefined || hash === undefined)
    throw new Error('malformed client secret hash')
  const expected = Buffer.from(hash, 'base64url')
  return timingSafeEqual(digest(secret, Buffer.from(salt, 'base64url'), keys.require(keyId).bytes), expected)
}

/** Whether a hash was made with the secret key now in use. */
export const isCurrentHash = (stored: string, keys: DerivedKeys): boolean =>
  FORMAT.exec(stored)?.[1] === keys.current.id

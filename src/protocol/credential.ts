// The credential format: `pat_` or `key_`, 16 hex of public id, 40 hex of secret, 8 hex of CRC-32 over those 56.

import { crc32Hex } from './crc32.ts'
import { Redacted } from './redacted.ts'

export type CredentialKind = 'personal' | 'organization'

const PREFIX = { personal: 'pat_', organization: 'key_' } as const
const FORMAT = /^(pat|key)_([0-9a-f]{16})([0-9a-f]{40})([0-9a-f]{8})$/
/** Length of the non-secret start shown in lists and logs. */
const DISPLAY_LENGTH = 10
const ID_BYTES = 8
const SECRET_BYTES = 20

/** A credential someone presented or was just given. Prints as `[redacted]` wherever it ends up by accident. */
export class PresentedCredential extends Redacted {
  readonly kind: CredentialKind
  /** Public id: 16 hex characters. */
  readonly id: string
  readonly #secret: string

  constructor(kind: CredentialKind, id: string, secret: string) {
    super()
    this.kind = kind
    this.id = id
    this.#secret = secret
  }

  /** The 40 hex characters only the holder knows. */
  revealSecret(): string {
    return this.#secret
  }

  /** The whole credential, for the one response that shows it. */
  reveal(): string {
    const body = this.id + this.#secret
    return PREFIX[this.kind] + body + crc32Hex(body)
  }
}

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/** Makes a credential from a source of `n` random bytes. */
export function generateCredential(
  kind: CredentialKind,
  randomBytes: (n: number) => Uint8Array,
): PresentedCredential {
  return new PresentedCredential(kind, toHex(randomBytes(ID_BYTES)), toHex(randomBytes(SECRET_BYTES)))
}

/** Reads a credential; `undefined` unless prefix, length, alphabet and checksum are all right. Does no I/O. */
export function parseCredential(value: string): PresentedCredential | undefined {
  const match = FORMAT.exec(value)
  if (!match) return undefined
  const [, prefix, id = '', secret = '', checksum] = match
  if (crc32Hex(id + secret) !== checksum) return undefined
  return new PresentedCredential(prefix === 'pat' ? 'personal' : 'organization', id, secret)
}

// Also a credential with a few characters lost, which is still most of a secret; and a JWT.
const LIKE_CREDENTIAL = /(?:pat|key)(?:_|%5f)[0-9a-f]{16,}/i
const LIKE_SECRET = new RegExp(`${LIKE_CREDENTIAL.source}|eyJ[\\w-]{8,}\\.[\\w-]+\\.[\\w-]+`, 'gi')

/** Text from outside, with whatever looks like a credential or a JWT replaced: people paste them in wrong places. */
export const redactCredentials = (text: string): string => text.replace(LIKE_SECRET, '[redacted]')

/** Whether text holds what looks like a credential; a JWT is none. */
export const holdsCredential = (text: string): boolean => LIKE_CREDENTIAL.test(text)

/** The display prefix of a credential, from its public parts alone. */
export const displayPrefix = (kind: CredentialKind, id: string): string =>
  (PREFIX[kind] + id).slice(0, DISPLAY_LENGTH)

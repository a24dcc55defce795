// Credentials for tests: one fixed, any made of given bytes, and arbitrary ones.

import fc from 'fast-check'
import {
  type CredentialKind,
  generateCredential,
  type PresentedCredential,
} from '../../../src/protocol/credential.ts'

export const ID = '0123456789abcdef'
export const SECRET = 'deadbeef00112233445566778899aabbccddeeff'
/** CRC-32 of `ID` and `SECRET`, from another implementation. */
export const CHECKSUM = '2b68ccd8'
export const PAT = `pat_${ID}${SECRET}${CHECKSUM}`
export const API_KEY = `key_${ID}${SECRET}${CHECKSUM}`

/** A credential whose id and secret are the given hex characters. */
export function makeCredential(
  kind: CredentialKind = 'personal',
  id: string = ID,
  secret: string = SECRET,
): PresentedCredential {
  const parts = [id, secret].map((hex) => Buffer.from(hex, 'hex'))
  return generateCredential(kind, () => parts.shift() ?? new Uint8Array())
}

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString('hex'))

export const credentialParts = fc.record({
  kind: fc.constantFrom<CredentialKind>('personal', 'organization'),
  id: hex(8),
  secret: hex(20),
})

export const anyCredential = credentialParts.map(({ kind, id, secret }) => makeCredential(kind, id, secret))

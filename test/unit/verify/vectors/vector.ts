// What the tables of signatures are made with: the input of a signature (RFC 7515 section 5.1), and numbers as bytes.

import { KeyObject, type webcrypto } from 'node:crypto'
import type { JWK } from 'jose'
import type { VerifyErrorCode } from '../../../../src/verify/verify-error.ts'
import { CLAIMS, JWKS, type SigningKey } from '../issuer-fixture.ts'

/** A token that must not be accepted though the issuer publishes `keys`, and the code it is refused with. */
export interface Vector {
  readonly name: string
  readonly code: VerifyErrorCode
  readonly token: string
  readonly keys: readonly JWK[]
}

export const encodePart = (part: string | Uint8Array): string => Buffer.from(part).toString('base64url')

/** What is signed of a good token; `jti` makes it another one. */
export const composeInput = ({ alg, kid }: Pick<SigningKey, 'alg' | 'kid'>, jti = CLAIMS.jti): string =>
  [JSON.stringify({ alg, typ: 'at+jwt', kid }), JSON.stringify({ ...CLAIMS, jti })].map(encodePart).join('.')

/** One vector per signature over the same input, all of one code. */
export const tryEach = (
  input: string,
  signatures: Readonly<Record<string, Uint8Array>>,
  { code = 'signature_invalid', keys = JWKS.keys }: Partial<Pick<Vector, 'code' | 'keys'>> = {},
): Vector[] =>
  Object.entries(signatures).map(([name, signature]) => ({
    name,
    code,
    keys,
    token: `${input}.${encodePart(signature)}`,
  }))

export const privateKeyOf = ({ privateKey }: SigningKey): KeyObject =>
  KeyObject.from(privateKey as webcrypto.CryptoKey)

/** What is too long or too short to be `signature`, and what is too empty or too full to be one of its length. */
export const misshape = (signature: Uint8Array): Record<string, Uint8Array> => ({
  'without its last byte': signature.subarray(0, -1),
  'without its first byte': signature.subarray(1),
  'its first half': signature.subarray(0, signature.length / 2),
  'one byte alone': signature.subarray(0, 1),
  'with a zero byte after it': Buffer.concat([signature, Buffer.of(0)]),
  'with a zero byte before it': Buffer.concat([Buffer.of(0), signature]),
  'with something after it': Buffer.concat([signature, Buffer.from('something')]),
  'twice in a row': Buffer.concat([signature, signature]),
  'its bytes in reverse': Buffer.from(signature).reverse(),
  'as hexadecimal text': Buffer.from(Buffer.from(signature).toString('hex')),
  'as base64url text': Buffer.from(encodePart(signature)),
  'zero bytes': Buffer.alloc(signature.length),
  'all bits set': Buffer.alloc(signature.length, 0xff),
})

export const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

/** Big-endian, of that length. Throws where it does not fit. */
export function toBytes(number: bigint, length: number): Buffer {
  const bytes = Buffer.from(number.toString(16).padStart(2 * length, '0'), 'hex')
  if (bytes.length !== length) throw new RangeError('too large a number')
  return bytes
}

/** The first of `make(0)`, `make(1)`, … that is good. */
export function findFirst<T>(make: (attempt: number) => T, isGood: (made: T) => boolean): T {
  for (let attempt = 0; attempt < 10_000; attempt += 1) {
    const made = make(attempt)
    if (isGood(made)) return made
  }
  throw new Error('none was good')
}

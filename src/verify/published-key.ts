// What a published key has to be like (RFC 7517, RFC 7518 section 6), beyond what a runtime looks at when it imports it.

import type { JWK } from 'jose'
import { RSA_EXPONENT } from '../protocol/rsa-exponent.ts'

/** 32 bytes, leading zeros included (RFC 7518 section 6.2.1.2, RFC 8037 section 2). */
const COORDINATE = /^[\w-]{43}$/

/** Whether the key is spelled as it must be, and nobody but its owner can sign with it. */
export function isWellFormedKey({ kty, e, x, y }: JWK): boolean {
  if (kty === 'RSA') return e === RSA_EXPONENT
  return isCoordinate(x) && (kty === 'OKP' || isCoordinate(y))
}

const isCoordinate = (value: unknown): boolean => typeof value === 'string' && COORDINATE.test(value)

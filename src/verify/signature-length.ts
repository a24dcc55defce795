// How long a signature has to be, which is for a key to say and not for the token: OpenSSL fills up a signature by
// RSASSA-PSS whose leading zero bytes are missing.

import type { CryptoKey } from 'jose'

/** Two numbers of 32 bytes, both of ES256 (RFC 7518 section 3.4) and of Ed25519 (RFC 8032 section 5.1.6). */
const CURVE_BYTES = 64

/** Whether the signature of a JWS in canonical compact form is as long as all of this key are. */
export const hasSignatureLength = (jws: string, { algorithm }: CryptoKey): boolean =>
  jws.length - jws.lastIndexOf('.') - 1 === Math.ceil((countBytes(algorithm) * 4) / 3)

/** With RSA the signature is as long as the modulus (RFC 8017 sections 8.1.2 and 8.2.2). */
const countBytes = (algorithm: CryptoKey['algorithm']): number =>
  'modulusLength' in algorithm ? Math.ceil(Number(algorithm.modulusLength) / 8) : CURVE_BYTES

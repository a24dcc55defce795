// The signature of a JWT under the key its header names (RFC 7515 section 5.2), as a `VerifyError` where it fails.

import { type CryptoKey, compactVerify, errors } from 'jose'
import type { JwtHeader } from './jwt-header.ts'
import { hasSignatureLength } from './signature-length.ts'
import { VerifyError } from './verify-error.ts'

/** The payload of a JWT that `key` signed. Throws `VerifyError`. */
export async function verifySignature(jwt: string, { alg }: JwtHeader, key: CryptoKey): Promise<Uint8Array> {
  if (!hasSignatureLength(jwt, key)) throw signatureInvalid()
  try {
    return (await compactVerify(jwt, key, { algorithms: [alg] })).payload
  } catch (cause) {
    if (cause instanceof errors.JWSSignatureVerificationFailed) {
      throw signatureInvalid()
    }
    // The shape was checked before: what is left is a key no issuer should publish, such as RSA below 2048 bits.
    throw new VerifyError('keys_unavailable', 'The key of the issuer is not usable', { cause })
  }
}

const signatureInvalid = (): VerifyError =>
  new VerifyError('signature_invalid', 'The signature of the token is not valid')

// DPoP proofs as a client would make them, and as it should not.

import { createHash, randomUUID } from 'node:crypto'
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose'
import { ISSUER } from './test-server.ts'

/** A client's key, and proofs by it. */
export interface ProofKey {
  readonly jwk: JWK
  readonly privateJwk: JWK
  readonly thumbprint: string
  /** A proof for the token endpoint that was made now; members that are undefined are left out. */
  readonly prove: (claims?: Record<string, unknown>, header?: Record<string, unknown>) => Promise<string>
}

export async function createProofKey(alg = 'ES256'): Promise<ProofKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  return {
    jwk,
    privateJwk: await exportJWK(privateKey),
    thumbprint: await calculateJwkThumbprint(jwk),
    prove: (claims = {}, header = {}) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify({ ...usualClaims(), ...claims })))
        .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk, ...header })
        .sign(privateKey),
  }
}

const usualClaims = () => ({
  jti: randomUUID(),
  htm: 'POST',
  htu: `${ISSUER}/oauth2/token`,
  iat: Math.floor(Date.now() / 1000),
})

/** The claim `ath` for an access token. */
export const athOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

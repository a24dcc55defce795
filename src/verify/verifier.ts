// Verification of an access token on one screen: header, key, signature, claims (RFC 9068 section 4, RFC 8725).
// Once the keys are known it needs no network.

import { type CryptoKey, compactVerify, errors } from 'jose'
import { type AccessTokenHeader, readAccessTokenHeader } from './access-token-header.ts'
import type { Presentation } from './challenge.ts'
import { checkClaims, type VerifiedClaims } from './check-claims.ts'
import { resolveOptions, type VerifierOptions } from './options.ts'
import {
  type IncomingRequest,
  type PresentedProof,
  type PresentedToken,
  readAuthorization,
} from './read-authorization.ts'
import { RemoteKeys } from './remote-keys.ts'
import { VerifyError } from './verify-error.ts'

export interface Verifier {
  /**
   * Checks an access token, and the proof that came with it; resolves to its claims, frozen, or rejects with
   * `VerifyError`. A token that is bound to a key is refused without a proof.
   */
  verify(token: string, proof?: PresentedProof): Promise<VerifiedClaims>
  /** Checks the access token in the Authorization header of a request, by the scheme Bearer or DPoP. */
  verifyRequest(request: IncomingRequest): Promise<VerifiedClaims>
  /** Ends what goes on in the background; what is known by then stays in use until it is too old. */
  close(): void
}

/**
 * Makes a verifier for the tokens of one issuer; make it once and keep it, for it remembers the issuer's keys.
 * Throws a `TypeError` listing every option that is missing or wrong. Fetches nothing until the first token.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const settings = resolveOptions(options)
  const keys = new RemoteKeys(settings)
  const takesDpop = settings.dpop !== null

  async function verifyToken(token: string): Promise<VerifiedClaims> {
    const header = readAccessTokenHeader(token)
    const key = await keys.find(header)
    const payload = await verifySignature(token, header, key)
    return checkClaims(payload, settings, settings.now())
  }

  const verify: Verifier['verify'] = async (token, proof) => {
    try {
      return await verifyToken(token)
    } catch (error) {
      throw challengeFor(error, { scheme: proof ? 'DPoP' : 'Bearer', takesDpop })
    }
  }

  return {
    verify,
    async verifyRequest(request) {
      const { token, proof } = readRequest(request, takesDpop)
      return verify(token, proof)
    },
    close() {},
  }
}

function readRequest(request: IncomingRequest, takesDpop: boolean): PresentedToken {
  try {
    return readAuthorization(request)
  } catch (error) {
    throw challengeFor(error, { scheme: 'Bearer', takesDpop })
  }
}

const challengeFor = (error: unknown, presentation: Presentation): unknown =>
  error instanceof VerifyError ? error.presentedBy(presentation) : error

async function verifySignature(
  token: string,
  { alg }: AccessTokenHeader,
  key: CryptoKey,
): Promise<Uint8Array> {
  try {
    return (await compactVerify(token, key, { algorithms: [alg] })).payload
  } catch (cause) {
    if (cause instanceof errors.JWSSignatureVerificationFailed) {
      throw new VerifyError('signature_invalid', 'The signature of the token is not valid')
    }
    // The shape was checked before: what is left is a key no issuer should publish, such as RSA below 2048 bits.
    throw new VerifyError('keys_unavailable', 'The key of the issuer is not usable', { cause })
  }
}

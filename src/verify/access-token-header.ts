// The JOSE header of an access token: RFC 9068 section 4, RFC 8725 sections 3.1, 3.2 and 3.11. Nothing in it is
// trusted beyond choosing a key: `jwk`, `jku`, `x5u` and `x5c` are never read.

import { decodeProtectedHeader } from 'jose'
import { ACCESS_TOKEN_TYP, SIGNING_ALGORITHMS, type SigningAlgorithm } from '../protocol/access-token.ts'
import { isCompactJwt } from './compact-jwt.ts'
import { VerifyError } from './verify-error.ts'

/** What of the header decides which key is asked for. */
export interface AccessTokenHeader {
  readonly alg: SigningAlgorithm
  readonly kid: string
}

/** Reads the header of what claims to be an access token. Throws `VerifyError`; does no I/O. */
export function readAccessTokenHeader(token: string): AccessTokenHeader {
  const { alg, typ, crit, kid } = decodeHeader(token)
  if (!isSigningAlgorithm(alg)) {
    throw new VerifyError('alg_not_allowed', 'The algorithm of the token is not allowed')
  }
  if (!isAccessTokenType(typ)) throw new VerifyError('typ_mismatch', 'The token is not an access token')
  if (crit !== undefined) throw new VerifyError('header_invalid', 'The token has critical extensions')
  if (typeof kid !== 'string' || kid === '') {
    throw new VerifyError('header_invalid', 'The token does not name its key')
  }
  return { alg, kid }
}

function decodeHeader(token: string): Readonly<Record<string, unknown>> {
  if (!isCompactJwt(token)) throw new VerifyError('token_malformed', 'The token is not a JWT')
  try {
    return decodeProtectedHeader(token)
  } catch {
    throw new VerifyError('token_malformed', 'The token is not a JWT')
  }
}

const isSigningAlgorithm = (alg: unknown): alg is SigningAlgorithm =>
  SIGNING_ALGORITHMS.some((allowed) => allowed === alg)

/** Media types compare without case, and may leave `application/` out (RFC 7515 section 4.1.9). */
const isAccessTokenType = (typ: unknown): boolean =>
  typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === ACCESS_TOKEN_TYP

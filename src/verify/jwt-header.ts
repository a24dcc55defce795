// The JOSE header of what the issuer signs: RFC 8725 sections 3.1, 3.2 and 3.11. Nothing in it is trusted beyond
// choosing a key: `jwk`, `jku`, `x5u` and `x5c` are never read.

import { base64url } from 'jose'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../protocol/access-token.ts'
import { type JsonObject, parseJsonObject } from '../protocol/json-object.ts'
import { VerifyError } from './verify-error.ts'

/** What of a header decides which key is asked for. */
export interface JwtHeader {
  readonly alg: SigningAlgorithm
  readonly kid: string
}

/** What a JWT has to be: its media type, and how that is called. */
export interface JwtKind {
  readonly typ: string
  readonly name: string
}

/** Reads the header of a JWT. Throws `VerifyError`; does no I/O. */
export function readJwtHeader(jwt: string, { typ, name }: JwtKind): JwtHeader {
  const { alg, typ: actualTyp, crit, b64, kid } = decodeHeader(jwt)
  if (!isSigningAlgorithm(alg)) {
    throw new VerifyError('alg_not_allowed', 'The algorithm of the token is not allowed')
  }
  if (!isType(actualTyp, typ)) throw new VerifyError('typ_mismatch', `The token is not ${name}`)
  // `b64` is one wherever it stands (RFC 7797 section 6): it changes what was signed.
  if (crit !== undefined || b64 !== undefined) {
    throw new VerifyError('header_invalid', 'The token has critical extensions')
  }
  if (typeof kid !== 'string' || kid === '') {
    throw new VerifyError('header_invalid', 'The token does not name its key')
  }
  return { alg, kid }
}

function decodeHeader(jwt: string): JsonObject {
  const header = parseJsonObject(decodePart(jwt.slice(0, jwt.indexOf('.'))))
  if (header) return header
  throw new VerifyError('token_malformed', 'The token is not a JWT')
}

/** Nothing where it is no base64url. */
function decodePart(part: string): Uint8Array {
  try {
    return base64url.decode(part)
  } catch {
    return new Uint8Array()
  }
}

const isSigningAlgorithm = (alg: unknown): alg is SigningAlgorithm =>
  SIGNING_ALGORITHMS.some((allowed) => allowed === alg)

/** Media types compare without case, and may leave `application/` out (RFC 7515 section 4.1.9). */
const isType = (typ: unknown, expected: string): boolean =>
  typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === expected

// The JOSE header of what the issuer signs: RFC 8725 sections 3.1, 3.2 and 3.11. Nothing in it is trusted beyond
// choosing a key: `jwk`, `jku`, `x5u` and `x5c` are never read.

import { decodeProtectedHeader } from 'jose'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../protocol/access-token.ts'
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
  const header = decodeHeader(jwt)
  if (!isSigningAlgorithm(header.alg)) {
    throw new VerifyError('alg_not_allowed', 'The algorithm of the token is not allowed')
  }
  if (!isType(header.typ, typ)) throw new VerifyError('typ_mismatch', `The token is not ${name}`)
  if (header.crit !== undefined) throw new VerifyError('header_invalid', 'The token has critical extensions')
  if (typeof header.kid !== 'string' || header.kid === '') {
    throw new VerifyError('header_invalid', 'The token does not name its key')
  }
  return { alg: header.alg, kid: header.kid }
}

function decodeHeader(jwt: string): Readonly<Record<'alg' | 'typ' | 'crit' | 'kid', unknown>> {
  try {
    const { alg, typ, crit, kid } = decodeProtectedHeader(jwt)
    return { alg, typ, crit, kid }
  } catch {
    throw new VerifyError('token_malformed', 'The token is not a JWT')
  }
}

const isSigningAlgorithm = (alg: unknown): alg is SigningAlgorithm =>
  SIGNING_ALGORITHMS.some((allowed) => allowed === alg)

/** Media types compare without case, and may leave `application/` out (RFC 7515 section 4.1.9). */
const isType = (typ: unknown, expected: string): boolean =>
  typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === expected

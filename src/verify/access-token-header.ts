// The header of an access token: RFC 9068 section 4, and the strict form of RFC 7515 section 7.1.

import { ACCESS_TOKEN_TYP } from '../protocol/access-token.ts'
import { isCompactJwt } from './compact-jwt.ts'
import { type JwtHeader, type JwtKind, readJwtHeader } from './jwt-header.ts'
import { VerifyError } from './verify-error.ts'

const ACCESS_TOKEN: JwtKind = { typ: ACCESS_TOKEN_TYP, name: 'an access token' }

/** Reads the header of what claims to be an access token. Throws `VerifyError`; does no I/O. */
export function readAccessTokenHeader(token: string): JwtHeader {
  if (!isCompactJwt(token)) throw new VerifyError('token_malformed', 'The token is not a JWT')
  return readJwtHeader(token, ACCESS_TOKEN)
}

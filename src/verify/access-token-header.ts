// The headers of access tokens: RFC 9068 section 4, and the strict form of RFC 7515 section 7.1.

import { ACCESS_TOKEN_TYP } from '../protocol/access-token.ts'
import { isCompactJwt } from './compact-jwt.ts'
import { type JwtHeader, type JwtKind, readJwtHeader } from './jwt-header.ts'
import { VerifyError } from './verify-error.ts'

const ACCESS_TOKEN: JwtKind = { typ: ACCESS_TOKEN_TYP, name: 'an access token' }

/** An issuer writes one for each of its keys. */
const MAX_KNOWN = 32

export class AccessTokenHeaders {
  /** Of tokens with good signatures, by how they are written: others would let anybody fill it. */
  readonly #known = new Map<string, JwtHeader>()

  /** Reads the header of what claims to be an access token. Throws `VerifyError`; does no I/O. */
  read(token: string): JwtHeader {
    if (!isCompactJwt(token)) throw new VerifyError('token_malformed', 'The token is not a JWT')
    return this.#known.get(cutHeader(token)) ?? readJwtHeader(token, ACCESS_TOKEN)
  }

  /** Keeps the header of a token whose signature is good, so that the next like it need not be read. */
  keep(token: string, header: JwtHeader): void {
    const written = cutHeader(token)
    if (this.#known.has(written)) return
    if (this.#known.size === MAX_KNOWN) this.#known.clear()
    this.#known.set(written, header)
  }
}

const cutHeader = (token: string): string => token.slice(0, token.indexOf('.'))

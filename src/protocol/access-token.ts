// The access token's own words: RFC 9068 claims, the two Patmint adds (`org`, `cred`), and `status` of Token Status
// Lists.

import type { AuthorizationDetail } from './authorization-details.ts'
import type { StatusReference } from './status-list.ts'

/** `typ` of the JOSE header (RFC 9068 section 2.1). */
export const ACCESS_TOKEN_TYP = 'at+jwt'

/** Algorithms a resource server may choose. Verifiers pin this list; `none` and HMAC are never on it. */
export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number]

/** The longest an access token is valid, whatever a resource server asks for. A key is needed as long after its last signature. */
export const LONGEST_TTL_SECONDS = 3600

/** Claims of an access token. Instants are seconds since the epoch (RFC 7519 section 2, NumericDate). */
export interface AccessTokenClaims {
  readonly iss: string
  /** The user's id, or `key:<id>` for an API key. */
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  readonly scope?: string
  /** Organization slug. */
  readonly org: string
  /** Public id of the credential the token was exchanged from. */
  readonly cred: string
  /** How many exchanges led from the credential to this token; absent for the first. */
  readonly exchanges?: number
  /** Who acts for the subject (RFC 8693 section 4.1). */
  readonly act?: Act
  /** Where verifiers find out what became of the credential; absent from tokens older than status lists. */
  readonly status?: { readonly status_list: StatusReference }
  /** The key it is bound to (RFC 9449 section 6.1); absent: whoever bears it may use it. */
  readonly cnf?: { readonly jkt: string }
  /** RFC 9396 section 9.1. */
  readonly authorization_details?: readonly AuthorizationDetail[]
}

/** The scopes a token has. */
export const readScopes = ({ scope }: Pick<AccessTokenClaims, 'scope'>): readonly string[] =>
  scope ? scope.split(' ') : []

/** The audiences a token is for. */
export const readAudiences = ({ aud }: Pick<AccessTokenClaims, 'aud'>): readonly string[] => [aud].flat()

/** An actor; inside it who acted before, the last one outermost (RFC 8693 section 4.1). */
export interface Act {
  readonly sub: string
  readonly act?: Act
}

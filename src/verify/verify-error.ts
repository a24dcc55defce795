// What a service answers when it does not accept a token: a stable code, the HTTP status, and the challenge of
// RFC 6750 section 3. Holds no token and no part of one, so it may be logged whole.

export type VerifyErrorCode =
  | 'token_malformed'
  | 'header_invalid'
  | 'alg_not_allowed'
  | 'typ_mismatch'
  | 'key_unknown'
  | 'keys_unavailable'
  | 'signature_invalid'
  | 'claim_missing'
  | 'claim_invalid'
  | 'issuer_mismatch'
  | 'audience_mismatch'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'scope_insufficient'

// A record rather than a default, so that a new code does not compile until its status is decided.
const STATUS: Readonly<Record<VerifyErrorCode, 401 | 403 | 503>> = {
  token_malformed: 401,
  header_invalid: 401,
  alg_not_allowed: 401,
  typ_mismatch: 401,
  key_unknown: 401,
  // The issuer being away says nothing about the token: a client told 401 would throw a good token away.
  keys_unavailable: 503,
  signature_invalid: 401,
  claim_missing: 401,
  claim_invalid: 401,
  issuer_mismatch: 401,
  audience_mismatch: 401,
  token_expired: 401,
  token_not_yet_valid: 401,
  scope_insufficient: 403,
}

/** Thrown for a token that is not accepted. Misuse of the library is a `TypeError` instead. */
export class VerifyError extends Error {
  override readonly name = 'VerifyError'
  readonly code: VerifyErrorCode
  /** HTTP status to answer with: 401, 403 for a missing scope, 503 while the issuer's keys cannot be had. */
  readonly status: 401 | 403 | 503
  /** Value for the `WWW-Authenticate` header (RFC 6750 section 3); `undefined` with status 503. */
  readonly wwwAuthenticate: string | undefined

  /** `message` and `scope` travel in quoted strings: neither may hold `"`, `\` or anything the token brought. */
  constructor(code: VerifyErrorCode, message: string, details: { cause?: unknown; scope?: string } = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.status = STATUS[code]
    this.wwwAuthenticate = formatChallenge(this.status, message, details.scope)
  }
}

function formatChallenge(status: 401 | 403 | 503, message: string, scope = ''): string | undefined {
  if (status === 503) return undefined
  return status === 403
    ? `Bearer error="insufficient_scope", scope="${scope}"`
    : `Bearer error="invalid_token", error_description="${message}"`
}

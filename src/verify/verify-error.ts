// What a service answers when it does not accept a token: a stable code, the HTTP status, and the challenge of
// RFC 6750 section 3. Holds no token and no part of one, so it may be logged whole.

import {
  BEARER_ONLY,
  type Challenge,
  composeChallenges,
  formatChallenges,
  type Presentation,
} from './challenge.ts'

export type VerifyErrorCode =
  | 'token_missing'
  | 'request_invalid'
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
  | 'token_revoked'
  | 'token_suspended'
  | 'status_unavailable'
  | 'proof_missing'
  | 'proof_invalid'
  | 'binding_mismatch'
  | 'binding_unsupported'
  | 'replay_memory_full'
  | 'replay_memory_unavailable'
  | 'scope_insufficient'
  | 'details_insufficient'

/** HTTP status of a refusal. */
export type VerifyErrorStatus = 400 | 401 | 403 | 503

interface Answer {
  readonly status: VerifyErrorStatus
  /** `error` of the challenge; none where the request holds no token at all (RFC 6750 section 3.1). */
  readonly error?: string
}

const INVALID_TOKEN: Answer = { status: 401, error: 'invalid_token' }
const INSUFFICIENT_SCOPE: Answer = { status: 403, error: 'insufficient_scope' }
/** Says nothing about the token: a client told 401 would throw a good token away. */
const UNAVAILABLE: Answer = { status: 503 }

// A record rather than a default, so that a new code does not compile until its status is decided.
const ANSWERS: Readonly<Record<VerifyErrorCode, Answer>> = {
  token_missing: { status: 401 },
  request_invalid: { status: 400, error: 'invalid_request' },
  token_malformed: INVALID_TOKEN,
  header_invalid: INVALID_TOKEN,
  alg_not_allowed: INVALID_TOKEN,
  typ_mismatch: INVALID_TOKEN,
  key_unknown: INVALID_TOKEN,
  keys_unavailable: UNAVAILABLE,
  signature_invalid: INVALID_TOKEN,
  claim_missing: INVALID_TOKEN,
  claim_invalid: INVALID_TOKEN,
  issuer_mismatch: INVALID_TOKEN,
  audience_mismatch: INVALID_TOKEN,
  token_expired: INVALID_TOKEN,
  token_not_yet_valid: INVALID_TOKEN,
  token_revoked: INVALID_TOKEN,
  token_suspended: INVALID_TOKEN,
  status_unavailable: UNAVAILABLE,
  proof_missing: INVALID_TOKEN,
  proof_invalid: { status: 401, error: 'invalid_dpop_proof' },
  binding_mismatch: INVALID_TOKEN,
  binding_unsupported: INVALID_TOKEN,
  replay_memory_full: UNAVAILABLE,
  replay_memory_unavailable: UNAVAILABLE,
  scope_insufficient: INSUFFICIENT_SCOPE,
  details_insufficient: INSUFFICIENT_SCOPE,
}

/** The pause after a fetch that failed, which is the soonest that another one may succeed. */
const RETRY_AFTER_SECONDS = 5

interface Details {
  readonly cause?: unknown
  /** What the request would have taken, for a status of 403. */
  readonly scope?: string
  readonly presentation?: Presentation
}

/** Thrown for a token that is not accepted. Misuse of the library is a `TypeError` instead. */
export class VerifyError extends Error {
  override readonly name = 'VerifyError'
  readonly code: VerifyErrorCode
  /** HTTP status to answer with: 401; 400 for a request that is none, 403 for missing rights, 503 when it cannot be told. */
  readonly status: VerifyErrorStatus
  /** Value for the header `WWW-Authenticate` (RFC 6750 section 3); `undefined` with status 503. */
  readonly wwwAuthenticate: string | undefined
  /** The same in parts, for whoever adds to them; empty with status 503. */
  readonly challenges: readonly Challenge[]
  /** For the header `Retry-After`; `undefined` but with status 503. */
  readonly retryAfterSeconds: number | undefined
  readonly #details: Details

  /** `message` and `scope` travel in quoted strings: neither may hold `"`, `\` or anything the token brought. */
  constructor(code: VerifyErrorCode, message: string, details: Details = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.#details = details
    this.status = ANSWERS[code].status
    this.challenges = this.status === 503 ? [] : challengesOf(code, message, details)
    this.wwwAuthenticate = this.status === 503 ? undefined : formatChallenges(this.challenges)
    this.retryAfterSeconds = this.status === 503 ? RETRY_AFTER_SECONDS : undefined
  }

  /** The same error with the challenges for a token that was presented so. */
  presentedBy(presentation: Presentation): VerifyError {
    const error = new VerifyError(this.code, this.message, { ...this.#details, presentation })
    if (this.stack !== undefined) error.stack = this.stack
    return error
  }
}

function challengesOf(
  code: VerifyErrorCode,
  message: string,
  { scope, presentation = BEARER_ONLY }: Details,
): readonly Challenge[] {
  const { error, status } = ANSWERS[code]
  if (error === undefined) return composeChallenges(presentation, {})
  const described = status === 403 && scope !== undefined ? { scope } : { error_description: message }
  return composeChallenges(presentation, { error, ...described })
}

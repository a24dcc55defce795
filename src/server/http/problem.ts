// Errors of the management API as RFC 9457 problem documents. `code` is stable; the rest is for people.

export type ProblemCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'token_limit_reached'
  | 'token_name_taken'
  | 'policy_violation'
  | 'permission_not_held'
  | 'confirmation_required'
  | 'precondition_failed'
  | 'name_taken'
  | 'built_in'
  | 'in_use'
  | 'last_platform_admin'
  | 'already_rotated'
  | 'not_active'
  | 'notice_not_failed'
  | 'notices_off'
  | 'too_many_requests'
  | 'not_implemented'
  | 'temporarily_unavailable'
  | 'internal_error'

/** Status and title of each code. */
export const PROBLEMS = {
  invalid_request: [400, 'The request is not valid'],
  unauthorized: [401, 'Authentication is needed'],
  forbidden: [403, 'Not allowed'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  payload_too_large: [413, 'The request body is too large'],
  unsupported_media_type: [415, 'The request body must be JSON, without a content encoding'],
  token_limit_reached: [409, 'The limit of active tokens is reached'],
  token_name_taken: [409, 'The owner has an active token of this name'],
  policy_violation: [422, 'The expiry policy does not allow this'],
  permission_not_held: [422, 'This permission is not held'],
  confirmation_required: [409, 'The change would stop credentials in use'],
  precondition_failed: [412, 'The object has changed since you read it'],
  name_taken: [409, 'There is one of this name already'],
  built_in: [409, 'What is built in stays as it is'],
  in_use: [409, 'Something else still needs this'],
  last_platform_admin: [409, 'There must be another active platform admin first'],
  already_rotated: [409, 'The credential has a successor, or its predecessor still works'],
  not_active: [409, 'The credential does not work any more'],
  notice_not_failed: [409, 'Only a notice that failed is tried again'],
  notices_off: [409, 'This server sends no notices'],
  too_many_requests: [429, 'Too many requests'],
  not_implemented: [501, 'Not implemented'],
  temporarily_unavailable: [503, 'Try again later'],
  internal_error: [500, 'Something went wrong'],
} as const satisfies Record<ProblemCode, readonly [number, string]>

/** Thrown by handlers to end a request with a problem document. `extra` members stand beside the standard ones. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  readonly extra: Readonly<Record<string, unknown>>

  constructor(code: ProblemCode, detail?: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(detail ?? PROBLEMS[code][1])
    this.code = code
    this.status = PROBLEMS[code][0]
    this.extra = extra
  }

  /** The document (RFC 9457 section 3.1), with `code` as extension member. */
  toDocument(): Record<string, unknown> {
    const [status, title] = PROBLEMS[this.code]
    const detail = this.message === title ? {} : { detail: this.message }
    return { type: 'about:blank', title, status, code: this.code, ...detail, ...this.extra }
  }
}

/** Whoever is told this may come back after so many seconds. */
export const tooManyRequests = (retryAfterSeconds: number): Problem =>
  new Problem('too_many_requests', undefined, { retry_after_seconds: retryAfterSeconds })

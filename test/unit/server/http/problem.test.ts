import { describe, expect, it } from 'vitest'
import { Problem, type ProblemCode } from '../../../../src/server/http/problem.ts'

const STATUS: Record<ProblemCode, number> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  payload_too_large: 413,
  unsupported_media_type: 415,
  token_limit_reached: 409,
  token_name_taken: 409,
  policy_violation: 422,
  permission_not_held: 422,
  confirmation_required: 409,
  precondition_failed: 412,
  name_taken: 409,
  built_in: 409,
  in_use: 409,
  last_platform_admin: 409,
  already_rotated: 409,
  not_active: 409,
  notice_not_failed: 409,
  notices_off: 409,
  too_many_requests: 429,
  not_implemented: 501,
  temporarily_unavailable: 503,
  internal_error: 500,
}

describe('a problem', () => {
  it.each(Object.entries(STATUS))('of code %s has status %d, in and beside the document', (code, status) => {
    const problem = new Problem(code as ProblemCode)
    expect(problem.status).toBe(status)
    expect(problem.toDocument()).toEqual({ type: 'about:blank', title: expect.any(String), status, code })
  })

  it('is a document of RFC 9457', () => {
    expect(new Problem('not_found').toDocument()).toEqual({
      type: 'about:blank',
      title: 'Not found',
      status: 404,
      code: 'not_found',
    })
  })

  it('carries its detail beside the title', () => {
    expect(new Problem('forbidden', 'The scope tokens:read is needed').toDocument()).toEqual({
      type: 'about:blank',
      title: 'Not allowed',
      status: 403,
      code: 'forbidden',
      detail: 'The scope tokens:read is needed',
    })
  })

  it('carries further members', () => {
    expect(new Problem('token_limit_reached', undefined, { limit: 10 }).toDocument()).toEqual({
      type: 'about:blank',
      title: 'The limit of active tokens is reached',
      status: 409,
      code: 'token_limit_reached',
      limit: 10,
    })
  })
})

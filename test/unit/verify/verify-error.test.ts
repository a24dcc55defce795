import { describe, expect, it } from 'vitest'
import { formatChallenges, VerifyError } from '../../../src/verify/index.ts'

const ALGS = 'algs="ES256 EdDSA Ed25519 RS256 PS256"'
const BEARER = { scheme: 'Bearer', takesDpop: true } as const
const DPOP = { scheme: 'DPoP', takesDpop: true } as const

describe('VerifyError', () => {
  it('is an error with a name, a code and a challenge', () => {
    const error = new VerifyError('token_expired', 'The token has expired')
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toBe('VerifyError: The token has expired')
    expect([error.status, error.retryAfterSeconds]).toEqual([401, undefined])
    expect(error.wwwAuthenticate).toBe(
      'Bearer error="invalid_token", error_description="The token has expired"',
    )
    expect('cause' in error).toBe(false)
  })

  it('has no challenge when the token is not the problem, and says when to try again', () => {
    const cause = new Error('away')
    const error = new VerifyError('keys_unavailable', 'The keys of the issuer are not available', { cause })
    expect({ ...error }).toEqual({
      name: 'VerifyError',
      code: 'keys_unavailable',
      status: 503,
      wwwAuthenticate: undefined,
      challenges: [],
      retryAfterSeconds: 5,
    })
    expect(error.cause).toBe(cause)
  })

  it.each([
    ['token_missing', 401, 'Bearer'],
    ['request_invalid', 400, 'Bearer error="invalid_request", error_description="What is wrong"'],
    ['token_revoked', 401, 'Bearer error="invalid_token", error_description="What is wrong"'],
    ['proof_invalid', 401, 'Bearer error="invalid_dpop_proof", error_description="What is wrong"'],
    ['scope_insufficient', 403, 'Bearer error="insufficient_scope", error_description="What is wrong"'],
    ['status_unavailable', 503, undefined],
  ] as const)('with the code %s has status %d and the challenge of it', (code, status, challenge) => {
    const error = new VerifyError(code, 'What is wrong')
    expect([error.status, error.wwwAuthenticate]).toEqual([status, challenge])
  })
})

describe('the challenge where DPoP is taken (RFC 9449 section 7.1)', () => {
  const error = new VerifyError('token_expired', 'Too late', { cause: 'a cause' })

  it('offers it to a bearer', () => {
    expect(error.presentedBy(BEARER).wwwAuthenticate).toBe(
      `Bearer error="invalid_token", error_description="Too late", DPoP ${ALGS}`,
    )
    expect(new VerifyError('token_missing', 'None').presentedBy(BEARER).wwwAuthenticate).toBe(
      `Bearer, DPoP ${ALGS}`,
    )
  })

  it('is of the scheme by which the token came', () => {
    expect(error.presentedBy(DPOP).wwwAuthenticate).toBe(
      `DPoP error="invalid_token", error_description="Too late", ${ALGS}`,
    )
  })

  it('does not name a scheme that is not taken', () => {
    expect(error.presentedBy({ scheme: 'DPoP', takesDpop: false }).wwwAuthenticate).toBe(
      'Bearer error="invalid_token", error_description="Too late"',
    )
  })

  it('changes nothing else of the error', () => {
    const told = error.presentedBy(DPOP)
    expect([told.code, told.message, told.cause, told.stack]).toEqual([
      'token_expired',
      'Too late',
      'a cause',
      error.stack,
    ])
  })

  it('takes parameters that each scheme shares', () => {
    const { challenges } = new VerifyError('token_missing', 'None').presentedBy(BEARER)
    expect(formatChallenges(challenges, { realm: 'orders' })).toBe(
      `Bearer realm="orders", DPoP realm="orders", ${ALGS}`,
    )
  })
})

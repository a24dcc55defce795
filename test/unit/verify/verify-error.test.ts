import { describe, expect, it } from 'vitest'
import { VerifyError } from '../../../src/verify/index.ts'

describe('VerifyError', () => {
  it('is an error with a name, a code and a challenge', () => {
    const error = new VerifyError('token_expired', 'The token has expired')
    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toBe('VerifyError: The token has expired')
    expect(error.status).toBe(401)
    expect(error.wwwAuthenticate).toBe(
      'Bearer error="invalid_token", error_description="The token has expired"',
    )
    expect('cause' in error).toBe(false)
  })

  it('has no challenge when the token is not the problem', () => {
    const cause = new Error('away')
    const error = new VerifyError('keys_unavailable', 'The keys of the issuer are not available', { cause })
    expect([error.status, error.wwwAuthenticate, error.cause]).toEqual([503, undefined, cause])
  })
})

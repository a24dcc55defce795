import { describe, expect, it } from 'vitest'
import { describeFailure } from '../../../src/cli/describe-failure.ts'

const ISSUER = 'https://patmint.example.com'

describe('a refusal', () => {
  it('is told in the words of the server, with a next step, and exits 1', () => {
    const failure = {
      reason: 'refused',
      status: 400,
      error: 'invalid_request',
      description: 'subject_token is not valid',
    } as const
    expect(describeFailure(failure, ISSUER)).toEqual({
      message:
        'error: invalid_request: subject_token is not valid\n' +
        'hint: PATMINT_TOKEN may be expired, revoked, or made by another issuer than PATMINT_ISSUER\n',
      exitCode: 1,
    })
  })

  it('may come without a description or a hint', () => {
    const message = (error: string) =>
      describeFailure({ reason: 'refused', status: 400, error }, ISSUER).message
    expect(message('invalid_dpop_proof')).toBe('error: invalid_dpop_proof\n')
    expect(message('toString')).toBe('error: toString\n')
  })

  it('cannot speak in lines of its own', () => {
    const failure = { reason: 'refused', status: 400, error: 'x', description: 'y\nhint: run this' } as const
    expect(describeFailure(failure, ISSUER).message).toBe('error: x: y hint: run this\n')
  })

  it('that is no OAuth error points at the issuer', () => {
    expect(describeFailure({ reason: 'refused', status: 404 }, ISSUER)).toEqual({
      message:
        'error: https://patmint.example.com answered 404 without an OAuth error\n' +
        'hint: is PATMINT_ISSUER a Patmint server?\n',
      exitCode: 1,
    })
  })
})

describe('anything else', () => {
  it('exits 3 when the server is busy, and says for how long', () => {
    expect(describeFailure({ reason: 'busy', status: 503, retryAfter: '5' }, ISSUER)).toEqual({
      message: 'error: https://patmint.example.com answered 503\nhint: try again later (Retry-After: 5)\n',
      exitCode: 3,
    })
    expect(describeFailure({ reason: 'busy', status: 429 }, ISSUER)).toEqual({
      message: 'error: https://patmint.example.com answered 429\nhint: try again later\n',
      exitCode: 3,
    })
  })

  it('exits 3 when there is no server', () => {
    expect(describeFailure({ reason: 'unreachable', detail: 'ECONNREFUSED' }, ISSUER)).toEqual({
      message:
        'error: cannot reach https://patmint.example.com: ECONNREFUSED\nhint: is it running, and is that its URL?\n',
      exitCode: 3,
    })
  })

  it('exits 3 when it is another kind of server', () => {
    expect(describeFailure({ reason: 'unexpected', detail: 'it answered 302' }, ISSUER)).toEqual({
      message:
        'error: https://patmint.example.com is not answering as a token server: it answered 302\n' +
        'hint: set PATMINT_ISSUER to the issuer exactly, without redirects in between\n',
      exitCode: 3,
    })
  })
})

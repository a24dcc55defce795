import { describe, expect, it } from 'vitest'
import { OverloadError } from '../../../../src/protocol/overload.ts'
import { causeOf, type Refusal } from '../../../../src/server/exchange/refusal.ts'
import { answerOutage, toOAuthError } from '../../../../src/server/provider/oauth-error.ts'

type SubjectCause = Extract<Refusal, { reason: 'subject_token_refused' }>['cause']

/** Every cause there is; one that is missing here does not compile. */
const SUBJECT_CAUSES = Object.keys({
  credential_malformed: 0,
  credential_unknown: 0,
  secret_mismatch: 0,
  credential_revoked: 0,
  credential_superseded: 0,
  credential_expired: 0,
  owner_suspended: 0,
  owner_deleted: 0,
  membership_missing: 0,
  organization_deleted: 0,
  role_missing: 0,
  blocked_by_policy: 0,
  address_not_allowed: 0,
  token_invalid: 0,
  token_revoked: 0,
  exchanged_too_often: 0,
  token_unproven: 0,
} satisfies Record<SubjectCause, 0>) as SubjectCause[]

/** What goes out: the status and the body. */
const answerTo = (refusal: Refusal) => {
  const { status, error, error_description } = toOAuthError(refusal)
  return { status, body: JSON.stringify({ error, error_description }) }
}
const bad = (error: string, error_description: string) => ({
  status: 400,
  body: JSON.stringify({ error, error_description }),
})

describe('a refused parameter', () => {
  it.each([
    ['parameter_missing', 'subject_token is missing'],
    ['parameter_repeated', 'subject_token must not be repeated'],
    ['parameter_malformed', 'subject_token is malformed'],
    ['parameter_unsupported', 'subject_token has an unsupported value'],
  ] as const)('that is %s answers invalid_request and names it', (reason, description) => {
    expect(answerTo({ reason, parameter: 'subject_token' })).toEqual(bad('invalid_request', description))
  })
})

describe('a refused subject token', () => {
  it.each(SUBJECT_CAUSES)('answers with the same bytes for %s as for every other cause', (cause) => {
    expect(answerTo({ reason: 'subject_token_refused', cause })).toEqual(
      bad('invalid_request', 'subject_token is not valid'),
    )
  })

  it('has nothing else that differs and is sent', () => {
    const sent = SUBJECT_CAUSES.map((cause) => {
      const { error_detail: _, stack: __, ...rest } = toOAuthError({ reason: 'subject_token_refused', cause })
      return JSON.stringify({ ...rest, message: rest.message })
    })
    expect(new Set(sent).size).toBe(1)
  })
})

describe('every other refusal', () => {
  const ANSWERS: [Refusal, string, string][] = [
    [
      { reason: 'actor_token_refused', cause: 'actor_not_permitted' },
      'invalid_request',
      'actor_token is not valid',
    ],
    [{ reason: 'client_not_allowed' }, 'unauthorized_client', 'the client may not use this grant'],
    [
      { reason: 'audience_ambiguous' },
      'invalid_target',
      'name the audience: there is not exactly one to choose',
    ],
    [
      { reason: 'audience_not_permitted', audience: 'https://x.example.com' },
      'invalid_target',
      'the audience is unknown or not permitted',
    ],
    [{ reason: 'audiences_incompatible' }, 'invalid_target', 'the audiences cannot share one token'],
    [{ reason: 'scope_malformed' }, 'invalid_scope', 'scope is malformed'],
    [
      { reason: 'scope_exceeds', scope: 'models:write' },
      'invalid_scope',
      'a requested scope is unknown or not permitted',
    ],
    [{ reason: 'scopes_differ' }, 'invalid_scope', 'the scopes are not the same at each audience'],
  ]

  it.each(ANSWERS)('answers %o with %s', (refusal, error, description) => {
    expect(answerTo(refusal)).toEqual(bad(error, description))
  })

  it.each(ANSWERS)('keeps the cause of %o inside', (refusal) => {
    expect(toOAuthError(refusal).error_detail).toBe(causeOf(refusal))
  })

  it('does not tell an unknown audience or scope from one that is not permitted', () => {
    const audiences = ['https://known.example.com', 'https://unknown.example.com']
    const answers = audiences.map((audience) => answerTo({ reason: 'audience_not_permitted', audience }))
    expect(answers[0]).toEqual(answers[1])
  })
})

describe('a client nobody knows', () => {
  it('fails to authenticate, as it would at the token endpoint', () => {
    expect(answerTo({ reason: 'client_unknown' })).toEqual({
      ...bad('invalid_client', 'client authentication failed'),
      status: 401,
    })
  })
})

describe('a DPoP proof', () => {
  it('that fails is told so in one way for every check, and the detail stays in', () => {
    const [first, second] = (['proof_replayed', 'proof_signature_wrong'] as const).map((cause) =>
      toOAuthError({ reason: 'proof_refused', cause }),
    )
    const told = {
      status: 400,
      error: 'invalid_dpop_proof',
      error_description: 'the DPoP proof is not valid',
    }
    expect(first).toMatchObject({ ...told, error_detail: 'proof_replayed' })
    expect(second).toMatchObject({ ...told, error_detail: 'proof_signature_wrong' })
  })

  it('without a nonce is told to bring one', () => {
    expect(answerTo({ reason: 'proof_refused', cause: 'proof_nonce_wrong' })).toEqual(
      bad('use_dpop_nonce', 'the DPoP proof needs the nonce of this server'),
    )
  })

  it('that is missing where one is required is named', () => {
    expect(answerTo({ reason: 'proof_required', audience: 'https://api.example.com' })).toEqual(
      bad('invalid_dpop_proof', 'a DPoP proof is required'),
    )
  })
})

describe('too many failures', () => {
  it('answer 429 temporarily_unavailable, and judge nothing', () => {
    expect(answerTo({ reason: 'too_many_failures', retryAfterSeconds: 7 })).toEqual({
      status: 429,
      body: JSON.stringify({
        error: 'temporarily_unavailable',
        error_description: 'too many failed attempts, try again later',
      }),
    })
  })
})

describe('answerOutage', () => {
  const away = Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), { code: 'ECONNREFUSED' })

  it('gives what the task gives', async () => {
    expect(await answerOutage(async () => 42)).toBe(42)
  })

  it('turns a database that is away into 503 temporarily_unavailable, and says no more', async () => {
    const outage = await answerOutage(() => Promise.reject(away)).catch((error: unknown) => error)
    expect(outage).toMatchObject({
      status: 503,
      statusCode: 503,
      error: 'temporarily_unavailable',
      error_description: 'try again later',
      expose: true,
      cause: away,
    })
  })

  it('turns an overload into the same', async () => {
    const overload = new OverloadError('hash_queue_full')
    expect(await answerOutage(() => Promise.reject(overload)).catch((error: unknown) => error)).toMatchObject(
      {
        status: 503,
        error: 'temporarily_unavailable',
        error_description: 'try again later',
        cause: overload,
      },
    )
  })

  it('leaves every other fault and every refusal as it is', async () => {
    const bug = new TypeError('x is undefined')
    await expect(answerOutage(() => Promise.reject(bug))).rejects.toBe(bug)
    const refusal = toOAuthError({ reason: 'scopes_differ' })
    await expect(answerOutage(() => Promise.reject(refusal))).rejects.toBe(refusal)
  })
})

import { describe, expect, it } from 'vitest'
import type { Refusal } from '../../../../src/server/exchange/refusal.ts'
import { toDenial } from '../../../../src/server/provider/bearer-denial.ts'
import { toOAuthError } from '../../../../src/server/provider/oauth-error.ts'

describe('a refused exchange, to whoever brought the credential', () => {
  it.each<[Refusal, string]>([
    [{ reason: 'subject_token_refused', cause: 'credential_revoked' }, 'invalid_token'],
    [{ reason: 'subject_token_refused', cause: 'token_unproven' }, 'invalid_token'],
    [{ reason: 'audience_not_permitted', audience: 'a' }, 'insufficient_scope'],
    [{ reason: 'scope_exceeds', scope: 'a' }, 'insufficient_scope'],
  ])('that is %o is %s', (refusal, denial) => {
    expect(toDenial(refusal)).toBe(denial)
  })

  it.each<Refusal>([
    { reason: 'scope_malformed' },
    { reason: 'proof_required', audience: 'a' },
    { reason: 'client_not_allowed' },
    { reason: 'too_many_failures', retryAfterSeconds: 1 },
  ])('is none of theirs when it is $reason, and neither 401 nor 403', (refusal) => {
    expect(toDenial(refusal)).toBeNull()
    expect([400, 429]).toContain(toOAuthError(refusal).statusCode)
  })
})

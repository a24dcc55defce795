import { describe, expect, it } from 'vitest'
import { causeOf, REFUSAL_CAUSES } from '../../../../src/server/exchange/refusal.ts'

describe('causeOf', () => {
  it('is the true cause where the reason hides one', () => {
    expect(causeOf({ reason: 'subject_token_refused', cause: 'secret_mismatch' })).toBe('secret_mismatch')
    expect(causeOf({ reason: 'actor_token_refused', cause: 'actor_not_permitted' })).toBe(
      'actor_not_permitted',
    )
  })

  it('is the reason itself otherwise', () => {
    expect(causeOf({ reason: 'parameter_missing', parameter: 'subject_token' })).toBe('parameter_missing')
    expect(causeOf({ reason: 'scope_exceeds', scope: 'models:write' })).toBe('scope_exceeds')
  })

  it('is one of the causes that are counted', () => {
    expect(REFUSAL_CAUSES).toContain(
      causeOf({ reason: 'subject_token_refused', cause: 'credential_superseded' }),
    )
    expect(REFUSAL_CAUSES).not.toContain('subject_token_refused')
  })
})

import { describe, expect, it } from 'vitest'
import { toPolicy } from '../../../../src/server/policy/store.ts'

const ROW = {
  organization_id: null,
  max_lifetime_seconds: 31_536_000,
  default_lifetime_seconds: null,
  idle_timeout_seconds: 5_184_000,
  access_token_max_ttl_seconds: 600,
  max_active_tokens: 3,
  applies_to: 'new' as const,
  exempt_roles: ['machine'],
}
const POLICY = {
  maxLifetimeSeconds: 31_536_000,
  defaultLifetimeSeconds: null,
  idleTimeoutSeconds: 5_184_000,
  accessTokenMaxTtlSeconds: 600,
  maxActiveTokens: 3,
  appliesTo: 'new',
  exemptRoles: ['machine'],
  appliesSince: new Date('2026-03-01T12:00:00.123Z'),
}

describe('toPolicy', () => {
  it('reads a row', () => {
    expect(toPolicy({ ...ROW, applies_since: new Date('2026-03-01T12:00:00.123Z') })).toEqual(POLICY)
  })

  it('reads the same row as JSON, whose instants are text in any time zone', () => {
    expect(toPolicy({ ...ROW, applies_since: '2026-03-01T13:00:00.123+01:00' })).toEqual(POLICY)
    expect(toPolicy({ ...ROW, applies_since: '2026-03-01T12:00:00.123+00:00' })).toEqual(POLICY)
  })
})

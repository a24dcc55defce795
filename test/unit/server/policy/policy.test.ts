import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxActiveTokens, strictestLimit } from '../../../../src/server/policy/policy.ts'
import { anyPolicies, buildPolicies } from './policy-fixture.ts'

const FIELDS = [
  'maxLifetimeSeconds',
  'defaultLifetimeSeconds',
  'idleTimeoutSeconds',
  'accessTokenMaxTtlSeconds',
] as const

describe('strictestLimit', () => {
  it('is none without a policy, and without a rule', () => {
    expect(strictestLimit(buildPolicies(), 'maxLifetimeSeconds')).toBeNull()
    expect(strictestLimit(buildPolicies({}, {}), 'maxLifetimeSeconds')).toBeNull()
  })

  it.each([
    { platform: 90, organization: 30, seconds: 30, level: 'organization' },
    { platform: 30, organization: 90, seconds: 30, level: 'platform' },
    { platform: 30, organization: null, seconds: 30, level: 'platform' },
    { platform: null, organization: 30, seconds: 30, level: 'organization' },
    { platform: 30, organization: 30, seconds: 30, level: 'platform' },
  ])(
    'of $platform and $organization is the one of the $level',
    ({ platform, organization, seconds, level }) => {
      const policies = buildPolicies({ idleTimeoutSeconds: platform }, { idleTimeoutSeconds: organization })
      expect(strictestLimit(policies, 'idleTimeoutSeconds')).toEqual({ seconds, level })
    },
  )

  it('is the least of both levels, field by field', () => {
    fc.assert(
      fc.property(anyPolicies, fc.constantFrom(...FIELDS), (policies, field) => {
        const values = [policies.platform?.[field] ?? null, policies.organization?.[field] ?? null]
        const rules = values.filter((value) => value !== null)
        expect(strictestLimit(policies, field)?.seconds ?? null).toBe(
          rules.length ? Math.min(...rules) : null,
        )
      }),
    )
  })

  it('leaves out a level that does not bind', () => {
    const policies = buildPolicies(
      { maxLifetimeSeconds: 90 },
      { maxLifetimeSeconds: 30, exemptRoles: ['admin'] },
    )
    const limit = strictestLimit(
      policies,
      'maxLifetimeSeconds',
      ({ exemptRoles }) => exemptRoles.length === 0,
    )
    expect(limit).toEqual({ seconds: 90, level: 'platform' })
    expect(strictestLimit(policies, 'maxLifetimeSeconds', () => false)).toBeNull()
  })
})

describe('maxActiveTokens', () => {
  it('is 10 without a policy', () => {
    expect(maxActiveTokens(buildPolicies())).toBe(10)
  })

  it('is what the platform says where the policy of an organization says nothing', () => {
    expect(maxActiveTokens(buildPolicies({ maxActiveTokens: 25 }, { maxActiveTokens: null }))).toBe(25)
  })

  it.each([
    { platform: 25, organization: null, limit: 25 },
    { platform: null, organization: 3, limit: 3 },
    { platform: null, organization: 25, limit: 10 },
    { platform: 25, organization: 3, limit: 3 },
    { platform: 3, organization: 25, limit: 3 },
  ])('of $platform and $organization is $limit', ({ platform, organization, limit }) => {
    const policies = buildPolicies(
      platform === null ? null : { maxActiveTokens: platform },
      organization === null ? null : { maxActiveTokens: organization },
    )
    expect(maxActiveTokens(policies)).toBe(limit)
  })
})

import { describe, expect, it } from 'vitest'
import { effectiveExpiry } from '../../../../src/server/policy/effective-expiry.ts'
import { type ExpiryPolicy, inheritStart } from '../../../../src/server/policy/policy.ts'

const DAY_SECONDS = 86_400
const day = (count: number): Date => new Date(Date.UTC(2026, 0, 1) + count * DAY_SECONDS * 1000)

const declare = (appliesTo: 'all' | 'new', maxLifetimeDays: number): Omit<ExpiryPolicy, 'appliesSince'> => ({
  maxLifetimeSeconds: maxLifetimeDays * DAY_SECONDS,
  defaultLifetimeSeconds: null,
  idleTimeoutSeconds: null,
  accessTokenMaxTtlSeconds: null,
  maxActiveTokens: 10,
  appliesTo,
  exemptRoles: [],
})

const expiryOf = (policy: ExpiryPolicy, createdAt: Date): Date | undefined =>
  effectiveExpiry(
    { createdAt, expiresAt: null, lastUsedAt: null, roleName: 'analyst' },
    { platform: policy, organization: null },
  )?.at

describe('a policy for new credentials', () => {
  const first = inheritStart(null, declare('new', 90), day(0))
  const tighter = inheritStart(first, declare('new', 30), day(20))

  it('spares what was created before it', () => {
    expect(expiryOf(first, day(-1))).toBeUndefined()
    expect(expiryOf(first, day(0))).toEqual(day(90))
  })

  it('frees nobody it had bound when it is tightened', () => {
    expect(expiryOf(tighter, day(10))).toEqual(day(40))
    expect(expiryOf(tighter, day(-1))).toBeUndefined()
  })

  it('starts anew after a policy for all', () => {
    const all = inheritStart(first, declare('all', 90), day(5))
    expect(inheritStart(all, declare('new', 90), day(7)).appliesSince).toEqual(day(7))
    expect(expiryOf(all, day(-1))).toEqual(day(89))
  })
})

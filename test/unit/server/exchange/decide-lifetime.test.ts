import { describe, expect, it } from 'vitest'
import { decide } from '../../../../src/server/exchange/decide.ts'
import {
  API,
  buildGrant,
  buildRole,
  buildStanding,
  type StandingOverrides,
} from '../credential/standing-fixture.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'
import { buildClient, buildRequest, buildSubject } from './exchange-fixture.ts'

const B = 'https://b.example.com'

/** Lifetime of the token and what is left of the credential, or the refusal. */
function decideLifetime(standing: StandingOverrides, audiences: string[] = []) {
  const decision = decide(
    buildRequest({ audiences }),
    buildSubject(buildStanding(standing)),
    buildClient(),
    NOW,
  )
  return decision.ok
    ? [decision.value.lifetimeSeconds, decision.value.subjectExpiresInSeconds]
    : decision.error
}
const EXPIRED = { reason: 'subject_token_refused', cause: 'credential_expired' }

describe('the lifetime of a token', () => {
  it('is what the resource server says, when nothing is less', () => {
    const role = buildRole({ grants: [buildGrant({ accessTokenTtlSeconds: 3600 })] })
    expect(decideLifetime({ role })).toEqual([3600, null])
  })

  it('is the least of several resource servers', () => {
    const grants = [600, 60].map((accessTokenTtlSeconds, index) =>
      buildGrant({ audience: index === 0 ? API : B, accessTokenTtlSeconds }),
    )
    const role = buildRole({ grants })
    expect(decideLifetime({ role }, [API, B])).toEqual([60, null])
    expect(decideLifetime({ role }, [API])).toEqual([600, null])
  })

  it.each([
    [299, 299],
    [300, 300],
    [301, 300],
  ])('under a cap of %d seconds is %d', (accessTokenMaxTtlSeconds, lifetime) => {
    expect(decideLifetime({ policies: buildPolicies({ accessTokenMaxTtlSeconds }) })).toEqual([
      lifetime,
      null,
    ])
    expect(decideLifetime({ policies: buildPolicies(null, { accessTokenMaxTtlSeconds }) })).toEqual([
      lifetime,
      null,
    ])
  })

  it.each([
    { leftMs: 301_000, lifetime: 300, remaining: 301 },
    { leftMs: 300_000, lifetime: 300, remaining: 300 },
    { leftMs: 299_999, lifetime: 299, remaining: 299 },
    { leftMs: 299_000, lifetime: 299, remaining: 299 },
    { leftMs: 1999, lifetime: 1, remaining: 1 },
    { leftMs: 1000, lifetime: 1, remaining: 1 },
  ])('with $leftMs ms of the credential left is $lifetime seconds', ({ leftMs, lifetime, remaining }) => {
    expect(decideLifetime({ credential: { expiresAt: from(NOW, 0, leftMs) } })).toEqual([lifetime, remaining])
  })

  it.each([
    ['max_lifetime', { maxLifetimeSeconds: DAY }],
    ['idle_timeout', { idleTimeoutSeconds: DAY }],
  ])('is never zero: what %s is about to end is refused for that', (_, rule) => {
    const credential = { createdAt: from(NOW, -DAY, 999), expiresAt: from(NOW, 1, -1) }
    const policies = buildPolicies(null, rule)
    const blocked = { reason: 'subject_token_refused', cause: 'blocked_by_policy' }
    expect(decideLifetime({ credential: { ...credential, expiresAt: null }, policies })).toEqual(blocked)
    // What ends at the same instant by agreement too has expired.
    expect(decideLifetime({ credential, policies })).toEqual(EXPIRED)
  })

  it('is never zero: what its successor is about to replace is refused for that', () => {
    expect(decideLifetime({ credential: { overlapUntil: from(NOW, 0, 999) } })).toEqual({
      reason: 'subject_token_refused',
      cause: 'credential_superseded',
    })
  })

  it('is never zero: with less than a second left there is no token', () => {
    expect(decideLifetime({ credential: { expiresAt: from(NOW, 1, -1) } })).toEqual(EXPIRED)
    expect(decideLifetime({ credential: { expiresAt: from(NOW, 0, 1) } })).toEqual(EXPIRED)
    expect(decideLifetime({ credential: { expiresAt: NOW } })).toEqual(EXPIRED)
    expect(decideLifetime({ credential: { expiresAt: from(NOW, -DAY) } })).toEqual(EXPIRED)
  })

  it('ends where policy ends the credential', () => {
    const credential = { createdAt: from(NOW, 20 - 30 * DAY), expiresAt: from(NOW, DAY) }
    const policies = buildPolicies({ maxLifetimeSeconds: 30 * DAY })
    expect(decideLifetime({ credential, policies })).toEqual([20, 20])
    const exempting = buildPolicies({ maxLifetimeSeconds: 30 * DAY, exemptRoles: ['analyst'] })
    expect(decideLifetime({ credential, policies: exempting })).toEqual([300, DAY])
  })
})

describe('what is left of the credential', () => {
  it('is told whole seconds at a time, and not at all for one that never ends', () => {
    expect(decideLifetime({ credential: { expiresAt: from(NOW, 90 * DAY, 999) } })).toEqual([300, 90 * DAY])
    expect(decideLifetime({ credential: { expiresAt: null } })).toEqual([300, null])
  })

  it('is not shortened by what shortens the token', () => {
    const policies = buildPolicies({ accessTokenMaxTtlSeconds: 10 })
    expect(decideLifetime({ credential: { expiresAt: from(NOW, DAY) }, policies })).toEqual([10, DAY])
  })

  it('counts no idle time-out, which the exchange puts off; the token still ends where it was to end', () => {
    const idle = { createdAt: from(NOW, -DAY), lastUsedAt: from(NOW, 100 - 3600) }
    const [rule, maximum] = [{ idleTimeoutSeconds: 3600 }, { maxLifetimeSeconds: 30 * DAY }]
    expect(decideLifetime({ credential: idle, policies: buildPolicies(rule) })).toEqual([100, null])
    expect(decideLifetime({ credential: idle, policies: buildPolicies(null, rule) })).toEqual([100, null])
    const expiresAt = from(NOW, 7 * DAY)
    const policies = buildPolicies(rule, maximum)
    expect(decideLifetime({ credential: { ...idle, expiresAt }, policies })).toEqual([100, 7 * DAY])
    expect(decideLifetime({ credential: idle, policies })).toEqual([100, 29 * DAY])
    const soon = { ...idle, expiresAt: from(NOW, 60) }
    expect(decideLifetime({ credential: soon, policies })).toEqual([60, 60])
  })
})

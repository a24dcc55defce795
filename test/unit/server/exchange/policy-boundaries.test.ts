// Every limit on a credential and its tokens, one second before it and one second after, by the clock passed in.

import { describe, expect, it } from 'vitest'
import { fail, ok, type Result } from '../../../../src/protocol/result.ts'
import type { Standing } from '../../../../src/server/credential/standing.ts'
import { type LifetimeWish, resolveExpiry } from '../../../../src/server/policy/creation.ts'
import { buildGrant, buildRole, buildStanding } from '../credential/standing-fixture.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'
import { exchange } from './policy-life.ts'

/** How many seconds the token lives, or why there is none. */
function exchangeSeconds(standing: Standing, now: Date): Result<number, string> {
  const exchanged = exchange(standing, now)
  return exchanged.ok ? ok((exchanged.value.getTime() - now.getTime()) / 1000) : exchanged
}

const THIRTY = { maxLifetimeSeconds: 30 * DAY }
const WEEK = { idleTimeoutSeconds: 7 * DAY }
const made = from(NOW, -30 * DAY)
const used = from(NOW, -7 * DAY)

describe('a credential that ends now', () => {
  it.each([
    { limit: 'expires_at', credential: { expiresAt: NOW }, cause: 'credential_expired' },
    { limit: 'overlap_until', credential: { overlapUntil: NOW }, cause: 'credential_superseded' },
    {
      limit: 'max_lifetime of the platform',
      credential: { createdAt: made },
      policies: buildPolicies(THIRTY),
    },
    {
      limit: 'max_lifetime of the organization',
      credential: { createdAt: made },
      policies: buildPolicies({ maxLifetimeSeconds: 31 * DAY }, THIRTY),
    },
    {
      limit: 'max_lifetime, since it was made with the policy for new ones',
      credential: { createdAt: made },
      policies: buildPolicies({ ...THIRTY, appliesTo: 'new', appliesSince: made }),
    },
    {
      limit: 'idle_timeout of the platform, used',
      credential: { createdAt: made, lastUsedAt: used },
      policies: buildPolicies(WEEK, { idleTimeoutSeconds: 8 * DAY }),
    },
    {
      limit: 'idle_timeout of the organization, used',
      credential: { createdAt: made, lastUsedAt: used },
      policies: buildPolicies(null, WEEK),
    },
    {
      limit: 'idle_timeout, never used',
      credential: { createdAt: used, lastUsedAt: null },
      policies: buildPolicies(WEEK),
    },
  ])('by $limit works a second before, and not from then on', ({ credential, policies, cause }) => {
    const standing = buildStanding({ credential, policies: policies ?? buildPolicies() })
    const refused = fail(cause ?? 'blocked_by_policy')
    expect(exchangeSeconds(standing, from(NOW, -301))).toEqual(ok(300))
    expect(exchangeSeconds(standing, from(NOW, -2))).toEqual(ok(2))
    expect(exchangeSeconds(standing, from(NOW, -1))).toEqual(ok(1))
    expect(exchangeSeconds(standing, NOW)).toEqual(refused)
    expect(exchangeSeconds(standing, from(NOW, 1))).toEqual(refused)
  })
})

describe('a policy for new credentials', () => {
  const since = from(NOW, -60 * DAY)
  const policies = buildPolicies({ ...THIRTY, appliesTo: 'new', appliesSince: since })
  const exchangeOf = (createdAt: Date) =>
    exchangeSeconds(buildStanding({ credential: { createdAt }, policies }), NOW)

  it('spares what was made a second before it, and nothing from then on', () => {
    expect(exchangeOf(from(since, -1))).toEqual(ok(300))
    expect(exchangeOf(since)).toEqual(fail('blocked_by_policy'))
    expect(exchangeOf(from(since, 1))).toEqual(fail('blocked_by_policy'))
  })
})

describe('a token', () => {
  const role = buildRole({ grants: [buildGrant({ accessTokenTtlSeconds: 300 })] })
  const seconds = (standing: Parameters<typeof buildStanding>[0]) =>
    exchangeSeconds(buildStanding({ role, ...standing }), NOW)

  it.each([
    { cap: 299, lives: 299 },
    { cap: 300, lives: 300 },
    { cap: 301, lives: 300 },
  ])(
    'for 300 seconds lives $lives under an access_token_max_ttl of $cap, on either level',
    ({ cap, lives }) => {
      const rule = { accessTokenMaxTtlSeconds: cap }
      expect(seconds({ policies: buildPolicies(rule) })).toEqual(ok(lives))
      expect(seconds({ policies: buildPolicies(null, rule) })).toEqual(ok(lives))
      expect(seconds({ policies: buildPolicies(rule, { accessTokenMaxTtlSeconds: 3600 }) })).toEqual(
        ok(lives),
      )
    },
  )

  it.each([
    { left: 59, lives: 59 },
    { left: 60, lives: 60 },
    { left: 61, lives: 60 },
  ])('lives $lives seconds under a cap of 60 when its credential has $left left', ({ left, lives }) => {
    const policies = buildPolicies({ accessTokenMaxTtlSeconds: 60, ...THIRTY })
    expect(seconds({ policies, credential: { createdAt: from(made, left) } })).toEqual(ok(lives))
  })

  it('of an exempt role is capped as any other', () => {
    const policies = buildPolicies({ ...THIRTY, accessTokenMaxTtlSeconds: 60, exemptRoles: ['analyst'] })
    const credential = { createdAt: from(made, -DAY) }
    expect(seconds({ policies, credential, role })).toEqual(ok(60))
  })
})

describe('a credential being made', () => {
  const until = (at: Date): LifetimeWish => ({ kind: 'until', at })
  const violation = (level: string) =>
    fail({ reason: 'policy_violation', rule: 'max_lifetime', level, limitSeconds: 30 * DAY })
  const end = from(NOW, 30 * DAY)

  it.each([
    { level: 'platform', policies: buildPolicies(THIRTY, { maxLifetimeSeconds: 31 * DAY }) },
    { level: 'organization', policies: buildPolicies({ maxLifetimeSeconds: 31 * DAY }, THIRTY) },
  ])('may live as long as max_lifetime of the $level, and not a second longer', ({ level, policies }) => {
    const resolve = (at: Date) => resolveExpiry(until(at), policies, 'analyst', NOW)
    expect(resolve(from(end, -1))).toEqual(ok(from(end, -1)))
    expect(resolve(end)).toEqual(ok(end))
    expect(resolve(from(end, 1))).toEqual(violation(level))
  })

  it.each([
    { days: 30, extra: -1 },
    { days: 30, extra: 0 },
  ])('gets a default_lifetime of $days days and $extra seconds under 30 days', ({ days, extra }) => {
    const policies = buildPolicies(THIRTY, { defaultLifetimeSeconds: days * DAY + extra })
    expect(resolveExpiry({ kind: 'default' }, policies, 'analyst', NOW)).toEqual(ok(from(end, extra)))
  })

  it('gets no default_lifetime a second longer than the max_lifetime of the other level', () => {
    const policies = buildPolicies(THIRTY, { defaultLifetimeSeconds: 30 * DAY + 1 })
    expect(resolveExpiry({ kind: 'default' }, policies, 'analyst', NOW)).toEqual(ok(end))
  })

  it('works until a second before its default_lifetime is over', () => {
    const policies = buildPolicies({ defaultLifetimeSeconds: 3600 })
    const resolved = resolveExpiry({ kind: 'default' }, policies, 'analyst', NOW)
    const expiresAt = resolved.ok ? resolved.value : null
    const standing = buildStanding({ credential: { createdAt: NOW, expiresAt }, policies })
    expect(exchangeSeconds(standing, from(NOW, 3599))).toEqual(ok(1))
    expect(exchangeSeconds(standing, from(NOW, 3600))).toEqual(fail('credential_expired'))
  })
})

import { describe, expect, it } from 'vitest'
import {
  accessTokenCap,
  effectiveExpiry,
  type Lifespan,
} from '../../../../src/server/policy/effective-expiry.ts'
import { buildPolicies, DAY, from, NOW } from './policy-fixture.ts'

const buildLifespan = (overrides: Partial<Lifespan> = {}): Lifespan => ({
  createdAt: NOW,
  expiresAt: null,
  lastUsedAt: null,
  roleName: 'analyst',
  ...overrides,
})

describe('effectiveExpiry', () => {
  it('is never without an expiry and without a policy', () => {
    expect(effectiveExpiry(buildLifespan(), buildPolicies())).toBeNull()
    expect(effectiveExpiry(buildLifespan(), buildPolicies({}, {}))).toBeNull()
  })

  it('is what was agreed when no policy is stricter', () => {
    const expiresAt = from(NOW, 30 * DAY)
    expect(effectiveExpiry(buildLifespan({ expiresAt }), buildPolicies())).toEqual({
      at: expiresAt,
      cause: 'expires_at',
    })
  })

  it('counts the maximum lifetime from creation', () => {
    const lifespan = buildLifespan({ createdAt: from(NOW, -10 * DAY), lastUsedAt: NOW })
    expect(effectiveExpiry(lifespan, buildPolicies({ maxLifetimeSeconds: 90 * DAY }))).toEqual({
      at: from(NOW, 80 * DAY),
      cause: 'max_lifetime',
      level: 'platform',
    })
  })

  it('counts the idle time-out from the last use', () => {
    const lifespan = buildLifespan({ createdAt: from(NOW, -10 * DAY), lastUsedAt: from(NOW, -2 * DAY) })
    expect(effectiveExpiry(lifespan, buildPolicies(null, { idleTimeoutSeconds: 7 * DAY }))).toEqual({
      at: from(NOW, 5 * DAY),
      cause: 'idle_timeout',
      level: 'organization',
    })
  })

  it('starts the idle clock of a credential nobody used at its creation', () => {
    const lifespan = buildLifespan({ createdAt: from(NOW, -6 * DAY) })
    expect(effectiveExpiry(lifespan, buildPolicies({ idleTimeoutSeconds: 7 * DAY }))?.at).toEqual(
      from(NOW, DAY),
    )
  })

  it.each([
    { agreed: 29, cause: 'expires_at', days: 29 },
    { agreed: 30, cause: 'expires_at', days: 30 },
    { agreed: 31, cause: 'max_lifetime', days: 30 },
  ])('of $agreed days agreed and 30 allowed is $cause', ({ agreed, cause, days }) => {
    const lifespan = buildLifespan({ expiresAt: from(NOW, agreed * DAY) })
    const expiry = effectiveExpiry(lifespan, buildPolicies({ maxLifetimeSeconds: 30 * DAY }))
    expect(expiry).toMatchObject({ at: from(NOW, days * DAY), cause })
  })

  it('is the least of all rules, each from the level that has the strictest', () => {
    const policies = buildPolicies(
      { maxLifetimeSeconds: 90 * DAY, idleTimeoutSeconds: 20 * DAY },
      { maxLifetimeSeconds: 60 * DAY, idleTimeoutSeconds: 40 * DAY },
    )
    const used = buildLifespan({ lastUsedAt: from(NOW, 50 * DAY), expiresAt: from(NOW, 100 * DAY) })
    expect(effectiveExpiry(used, policies)).toEqual({
      at: from(NOW, 60 * DAY),
      cause: 'max_lifetime',
      level: 'organization',
    })
    const idle = buildLifespan({ lastUsedAt: from(NOW, 30 * DAY) })
    expect(effectiveExpiry(idle, policies)).toEqual({
      at: from(NOW, 50 * DAY),
      cause: 'idle_timeout',
      level: 'platform',
    })
  })

  it('ignores the rules about defaults and access tokens', () => {
    const policies = buildPolicies({ defaultLifetimeSeconds: 1, accessTokenMaxTtlSeconds: 1 })
    expect(effectiveExpiry(buildLifespan(), policies)).toBeNull()
  })
})

describe('a policy for new credentials', () => {
  const appliesSince = from(NOW, -5 * DAY)
  const policies = buildPolicies({
    appliesTo: 'new',
    appliesSince,
    maxLifetimeSeconds: 30 * DAY,
    idleTimeoutSeconds: 7 * DAY,
  })

  it('spares a credential made a millisecond before it, and binds one made with it', () => {
    expect(effectiveExpiry(buildLifespan({ createdAt: from(appliesSince, 0, -1) }), policies)).toBeNull()
    expect(effectiveExpiry(buildLifespan({ createdAt: appliesSince }), policies)?.at).toEqual(
      from(appliesSince, 7 * DAY),
    )
    expect(effectiveExpiry(buildLifespan({ createdAt: from(appliesSince, 0, 1) }), policies)).not.toBeNull()
  })

  it('does not spare it from the policy of the other level', () => {
    const both = {
      ...policies,
      organization: buildPolicies(null, { maxLifetimeSeconds: 60 * DAY }).organization,
    }
    const createdAt = from(appliesSince, -DAY)
    expect(effectiveExpiry(buildLifespan({ createdAt }), both)).toEqual({
      at: from(createdAt, 60 * DAY),
      cause: 'max_lifetime',
      level: 'organization',
    })
  })

  it('binds credentials made before it once it is for all', () => {
    const lifespan = buildLifespan({ createdAt: from(appliesSince, -DAY) })
    const forAll = buildPolicies({ appliesSince, maxLifetimeSeconds: 30 * DAY })
    expect(effectiveExpiry(lifespan, forAll)?.at).toEqual(from(appliesSince, 29 * DAY))
  })
})

describe('an exempt role', () => {
  const rules = { maxLifetimeSeconds: 30 * DAY, idleTimeoutSeconds: 7 * DAY }

  it('is not bound by the policy that exempts it', () => {
    const policies = buildPolicies({ ...rules, exemptRoles: ['machine', 'analyst'] })
    expect(effectiveExpiry(buildLifespan(), policies)).toBeNull()
    expect(effectiveExpiry(buildLifespan({ roleName: 'admin' }), policies)).not.toBeNull()
  })

  it('is matched by its whole name', () => {
    const policies = buildPolicies({ ...rules, exemptRoles: ['analysts', 'Analyst', ''] })
    expect(effectiveExpiry(buildLifespan(), policies)).not.toBeNull()
  })

  it('is still bound by what was agreed and by the policy that does not exempt it', () => {
    const policies = buildPolicies({ ...rules, exemptRoles: ['analyst'] }, { maxLifetimeSeconds: 60 * DAY })
    expect(effectiveExpiry(buildLifespan(), policies)).toMatchObject({
      at: from(NOW, 60 * DAY),
      level: 'organization',
    })
    const agreed = buildLifespan({ expiresAt: from(NOW, DAY) })
    expect(effectiveExpiry(agreed, policies)).toEqual({ at: from(NOW, DAY), cause: 'expires_at' })
  })
})

describe('accessTokenCap', () => {
  it('is the stricter of both levels, or none', () => {
    expect(accessTokenCap(buildPolicies())).toBeNull()
    expect(accessTokenCap(buildPolicies({}, {}))).toBeNull()
    const [minute, less] = [{ accessTokenMaxTtlSeconds: 60 }, { accessTokenMaxTtlSeconds: 59 }]
    expect(accessTokenCap(buildPolicies(minute))).toEqual({ seconds: 60, level: 'platform' })
    expect(accessTokenCap(buildPolicies(minute, less))).toEqual({ seconds: 59, level: 'organization' })
    expect(accessTokenCap(buildPolicies(less, minute))).toEqual({ seconds: 59, level: 'platform' })
  })
})

// Policies for tests: one without any rule, and arbitrary ones.

import fc from 'fast-check'
import type { Lifespan } from '../../../../src/server/policy/effective-expiry.ts'
import type { ExpiryPolicy, Policies } from '../../../../src/server/policy/policy.ts'

export const NOW = new Date('2026-03-01T12:00:00.000Z')
export const DAY = 86_400

/** `seconds` and `ms` from `instant`; both may be negative. */
export const from = (instant: Date, seconds: number, ms = 0): Date =>
  new Date(instant.getTime() + seconds * 1000 + ms)

export function buildPolicy(overrides: Partial<ExpiryPolicy> = {}): ExpiryPolicy {
  return {
    maxLifetimeSeconds: null,
    defaultLifetimeSeconds: null,
    idleTimeoutSeconds: null,
    accessTokenMaxTtlSeconds: null,
    maxActiveTokens: 10,
    appliesTo: 'all',
    exemptRoles: [],
    appliesSince: from(NOW, -1000 * DAY),
    ...overrides,
  }
}

export const buildPolicies = (
  platform: Partial<ExpiryPolicy> | null = null,
  organization: Partial<ExpiryPolicy> | null = null,
): Policies => ({
  platform: platform && buildPolicy(platform),
  organization: organization && buildPolicy(organization),
})

export const lesser = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b)

/** `policy` with every rule of `other` on top: at least as strict in each field, and for nobody less. */
export const tighten = (policy: ExpiryPolicy, other: ExpiryPolicy): ExpiryPolicy => ({
  maxLifetimeSeconds: lesser(policy.maxLifetimeSeconds, other.maxLifetimeSeconds),
  defaultLifetimeSeconds: lesser(policy.defaultLifetimeSeconds, other.defaultLifetimeSeconds),
  idleTimeoutSeconds: lesser(policy.idleTimeoutSeconds, other.idleTimeoutSeconds),
  accessTokenMaxTtlSeconds: lesser(policy.accessTokenMaxTtlSeconds, other.accessTokenMaxTtlSeconds),
  maxActiveTokens: lesser(policy.maxActiveTokens, other.maxActiveTokens),
  appliesTo: policy.appliesTo === 'new' ? other.appliesTo : 'all',
  exemptRoles: policy.exemptRoles.filter((role) => other.exemptRoles.includes(role)),
  appliesSince: new Date(Math.min(policy.appliesSince.getTime(), other.appliesSince.getTime())),
})

export const ROLES = ['analyst', 'admin']

const seconds = fc.integer({ min: 1, max: 800 * DAY })
const limit = fc.option(seconds)
/** Instants within two years of `NOW`, to the millisecond. */
export const instant = fc
  .integer({ min: -730 * DAY * 1000, max: 730 * DAY * 1000 })
  .map((ms) => from(NOW, 0, ms))

export const anyPolicy: fc.Arbitrary<ExpiryPolicy> = fc.record({
  maxLifetimeSeconds: limit,
  defaultLifetimeSeconds: limit,
  idleTimeoutSeconds: limit,
  accessTokenMaxTtlSeconds: fc.option(fc.integer({ min: 1, max: 3600 })),
  maxActiveTokens: fc.option(fc.integer({ min: 1, max: 100 })),
  appliesTo: fc.constantFrom('all', 'new'),
  exemptRoles: fc.subarray(ROLES),
  appliesSince: instant,
})

export const anyPolicies: fc.Arbitrary<Policies> = fc.record({
  platform: fc.option(anyPolicy),
  organization: fc.option(anyPolicy),
})

export const anyLifespan: fc.Arbitrary<Lifespan> = fc.record({
  createdAt: instant,
  expiresAt: fc.option(instant),
  lastUsedAt: fc.option(instant),
  roleName: fc.constantFrom(...ROLES),
})

// The whole life of a credential under policy, by the real rules: made, used, and exchanged at some instant. And, worked
// out anew from the words of the contract, what may end it.

import fc from 'fast-check'
import { fail, ok, type Result } from '../../../../src/protocol/result.ts'
import { findProblem, type Standing } from '../../../../src/server/credential/standing.ts'
import { decide } from '../../../../src/server/exchange/decide.ts'
import { type LifetimeWish, resolveExpiry } from '../../../../src/server/policy/creation.ts'
import type { ExpiryPolicy, Policies } from '../../../../src/server/policy/policy.ts'
import { composeClaims } from '../../../../src/server/provider/mint.ts'
import { buildGrant, buildRole, buildStanding } from '../credential/standing-fixture.ts'
import { anyPolicies, from, instant, ROLES } from '../policy/policy-fixture.ts'
import { buildClient, buildRequest, buildSubject } from './exchange-fixture.ts'

/** What happens to one credential; instants are `Date`s. */
export interface Life {
  readonly wish: LifetimeWish
  readonly createdAt: Date
  /** In force when it was made. */
  readonly policiesThen: Policies
  readonly usedAt: readonly Date[]
  readonly revokedAt: Date | null
  readonly overlapUntil: Date | null
  readonly roleName: string
  readonly accessTokenTtlSeconds: number
  readonly now: Date
}

export const makeCredential = ({ wish, policiesThen, roleName, createdAt }: Life) =>
  resolveExpiry(wish, policiesThen, roleName, createdAt)

/** The standing of what was made, by the uses up to `now`. */
export function standingOf(life: Life, expiresAt: Date | null, policies: Policies): Standing {
  const uses = life.usedAt.filter((at) => at <= life.now).map((at) => at.getTime())
  const { createdAt, revokedAt, overlapUntil, roleName, accessTokenTtlSeconds } = life
  return buildStanding({
    credential: {
      createdAt,
      expiresAt,
      revokedAt,
      overlapUntil,
      lastUsedAt: uses.length > 0 ? new Date(Math.max(...uses)) : null,
    },
    role: buildRole({ name: roleName, grants: [buildGrant({ accessTokenTtlSeconds })] }),
    policies,
  })
}

/** When the token ends that an exchange at `now` gives, or why it gives none. */
export function exchange(standing: Standing, now: Date): Result<Date, string> {
  const problem = findProblem(standing, now)
  if (problem) return fail(problem.reason)
  const decision = decide(buildRequest(), buildSubject(standing), buildClient(), now)
  if (!decision.ok) return fail(decision.error.reason)
  return ok(new Date(composeClaims(decision.value, 'https://sts.example.test', 'jti', now).exp * 1000))
}

/** When the token ends; the beginning of time where there is none, so that less is always stricter. */
export function tokenEndMs(standing: Standing, now: Date): number {
  const exchanged = exchange(standing, now)
  return exchanged.ok ? exchanged.value.getTime() : Number.NEGATIVE_INFINITY
}

const after = (seconds: number | null, instants: readonly Date[]): Date[] =>
  seconds === null ? [] : instants.map((one) => from(one, seconds))

const levelsOf = ({ platform, organization }: Policies): ExpiryPolicy[] =>
  [platform, organization].filter((policy) => policy !== null)

/** Every instant at which the credential stops, whatever the reason: the earliest counts. */
export function listEnds({ credential, role, policies }: Standing): Date[] {
  const { createdAt, lastUsedAt, expiresAt, overlapUntil, revokedAt } = credential
  const binding = levelsOf(policies)
    .filter((policy) => role === null || !policy.exemptRoles.includes(role.name))
    .filter((policy) => policy.appliesTo === 'all' || policy.appliesSince <= createdAt)
  return [
    ...[expiresAt, overlapUntil].filter((at) => at !== null),
    ...(revokedAt ? [new Date(0)] : []),
    ...binding.flatMap((policy) => after(policy.maxLifetimeSeconds, [createdAt])),
    ...binding.flatMap((policy) => after(policy.idleTimeoutSeconds, [lastUsedAt ?? createdAt])),
  ]
}

/** Every instant beyond which no token of an exchange at `now` may reach. */
export const listTokenCaps = (standing: Standing, ttlSeconds: number, now: Date): Date[] => [
  ...listEnds(standing),
  from(now, ttlSeconds),
  ...levelsOf(standing.policies).flatMap((policy) => after(policy.accessTokenMaxTtlSeconds, [now])),
]

/** The limits on the lifetime of a credential that is being made with this role. */
export const listLifetimeCaps = (policies: Policies, roleName: string): number[] =>
  levelsOf(policies)
    .filter(({ exemptRoles }) => !exemptRoles.includes(roleName))
    .flatMap(({ maxLifetimeSeconds }) => maxLifetimeSeconds ?? [])

const rareInstant = fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: instant })
const second = fc.integer({ min: 1, max: 900 * 86_400 })

const anyWish = (createdAt: Date): fc.Arbitrary<LifetimeWish> =>
  fc.oneof(
    fc.constant({ kind: 'default' as const }),
    fc.constant({ kind: 'never' as const }),
    second.map((seconds) => ({ kind: 'until' as const, at: from(createdAt, seconds) })),
  )

/** A life up to some instant, which is near one of its ends more often than chance would have it. */
export const anyLife: fc.Arbitrary<Life> = instant.chain((createdAt) =>
  fc
    .record({
      wish: anyWish(createdAt),
      createdAt: fc.constant(createdAt),
      policiesThen: fc.oneof(fc.constant({ platform: null, organization: null }), anyPolicies),
      usedAt: fc.array(
        second.map((seconds) => from(createdAt, seconds)),
        { maxLength: 4 },
      ),
      revokedAt: rareInstant,
      overlapUntil: rareInstant,
      roleName: fc.constantFrom(...ROLES),
      accessTokenTtlSeconds: fc.integer({ min: 1, max: 3600 }),
      sinceMs: fc.oneof(fc.integer({ min: 0, max: 60 * 86_400_000 }), fc.integer({ min: 0, max: 9e10 })),
    })
    .map(({ sinceMs, ...life }) => ({ ...life, now: from(createdAt, 0, sinceMs) })),
)

/** `life` at an instant `offsetMs` before the earliest of the ends it has under `policies`, if that comes at all. */
export function moveNearEnd(
  life: Life,
  expiresAt: Date | null,
  policies: Policies,
  offsetMs: number | null,
): Life {
  const ends = listEnds(standingOf(life, expiresAt, policies)).map((end) => end.getTime())
  const near = Math.min(...ends) - (offsetMs ?? 0)
  return offsetMs === null || !Number.isFinite(near) || near < life.createdAt.getTime()
    ? life
    : { ...life, now: new Date(near) }
}

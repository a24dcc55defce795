// The laws of expiry policy over whole lives of credentials: random policies, credentials, uses and instants.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fail } from '../../../../src/protocol/result.ts'
import type { Standing } from '../../../../src/server/credential/standing.ts'
import { maxActiveTokens, type Policies } from '../../../../src/server/policy/policy.ts'
import { anyPolicies, anyPolicy, from, lesser, tighten } from '../policy/policy-fixture.ts'
import {
  anyLife,
  exchange,
  type Life,
  listEnds,
  listLifetimeCaps,
  listTokenCaps,
  makeCredential,
  moveNearEnd,
  standingOf,
  tokenEndMs,
} from './policy-life.ts'

const RUNS = { numRuns: 500, maxSkipsPerRun: 100 }
const NO_POLICIES: Policies = { platform: null, organization: null }

const msOf = (instants: readonly Date[]): number[] => instants.map((one) => one.getTime())
/** From two hours before an end to two seconds after it. */
const nearEnd = fc.option(fc.integer({ min: -2000, max: 7_200_000 }))

/** Checks `law` on lives whose credential was made, at an instant near its end or at any other. */
function assertLives(law: (life: Life, standing: Standing, other: Policies) => void): void {
  fc.assert(
    fc.property(anyLife, anyPolicies, anyPolicies, nearEnd, (life, policies, other, offsetMs) => {
      const made = makeCredential(life)
      fc.pre(made.ok)
      const moved = moveNearEnd(life, made.value, policies, offsetMs)
      law(moved, standingOf(moved, made.value, policies), other)
    }),
    RUNS,
  )
}

describe('nothing is issued beyond any cap', () => {
  it('no credential, and none is refused that is within all of them', () => {
    fc.assert(
      fc.property(anyLife, (life) => {
        const caps = listLifetimeCaps(life.policiesThen, life.roleName)
        const made = makeCredential(life)
        if (made.ok) {
          const endMs = made.value?.getTime() ?? Number.POSITIVE_INFINITY
          for (const cap of caps) expect(endMs).toBeLessThanOrEqual(from(life.createdAt, cap).getTime())
        } else {
          const wanted = life.wish.kind === 'until' ? life.wish.at.getTime() : Number.POSITIVE_INFINITY
          const least = Math.min(...caps)
          expect(made.error.limitSeconds).toBe(least)
          expect(life.policiesThen[made.error.level]?.maxLifetimeSeconds).toBe(least)
          expect(wanted).toBeGreaterThan(from(life.createdAt, least).getTime())
        }
      }),
      RUNS,
    )
  })

  it('no token, and none is refused that could live for a second', () => {
    assertLives((life, standing) => {
      const exchanged = exchange(standing, life.now)
      const least = Math.min(...msOf(listTokenCaps(standing, life.accessTokenTtlSeconds, life.now)))
      if (exchanged.ok) expect(exchanged.value.getTime()).toBeLessThanOrEqual(least)
      else expect(least).toBeLessThan(from(life.now, 1).getTime())
    })
  })
})

describe('tightening', () => {
  it('never extends a token, and never gives one where there was none', () => {
    fc.assert(
      fc.property(
        anyLife,
        fc.option(anyPolicy),
        anyPolicy,
        anyPolicy,
        nearEnd,
        (life, other, before, added, ms) => {
          const made = makeCredential(life)
          fc.pre(made.ok)
          for (const level of ['platform', 'organization'] as const) {
            const around = { platform: other, organization: other }
            const [loose, tight] = [
              { ...around, [level]: before },
              { ...around, [level]: tighten(before, added) },
            ]
            const moved = moveNearEnd(life, made.value, tight, ms)
            const endMs = (policies: Policies): number =>
              tokenEndMs(standingOf(moved, made.value, policies), moved.now)
            expect(endMs(tight)).toBeLessThanOrEqual(endMs(loose))
          }
        },
      ),
      RUNS,
    )
  })

  it('never grants a credential that the looser policy refused, nor the same one for longer', () => {
    fc.assert(
      fc.property(anyLife, anyPolicy, anyPolicy, (life, before, added) => {
        const madeMs = (platform: typeof before): number => {
          const made = makeCredential({ ...life, policiesThen: { platform, organization: null } })
          return made.ok ? (made.value?.getTime() ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY
        }
        expect(madeMs(tighten(before, added))).toBeLessThanOrEqual(madeMs(before))
      }),
      RUNS,
    )
  })
})

describe('loosening', () => {
  it('never revives a revoked credential, nor one that ended by agreement or rotation', () => {
    assertLives((life, standing, looser) => {
      const free = exchange({ ...standing, policies: NO_POLICIES }, life.now)
      fc.pre(!free.ok)
      for (const policies of [standing.policies, looser]) {
        const exchanged = exchange({ ...standing, policies }, life.now)
        expect(exchanged.ok).toBe(false)
        if (standing.credential.revokedAt) expect(exchanged).toEqual(fail('credential_revoked'))
      }
    })
  })

  it('gives back all that policy alone had blocked', () => {
    assertLives((life, standing) => {
      const blocked = exchange(standing, life.now)
      fc.pre(!blocked.ok && blocked.error === 'blocked_by_policy')
      const free = exchange({ ...standing, policies: NO_POLICIES }, life.now)
      const ends = msOf(listEnds({ ...standing, policies: NO_POLICIES }))
      // Nothing was written while it was blocked: it ends when it would have without, and a token takes a whole second.
      expect(free.ok).toBe(Math.min(...ends) >= from(life.now, 1).getTime())
    })
  })
})

describe('platform and organization together', () => {
  it('are the fieldwise minimum of both, for whom both are', () => {
    fc.assert(
      fc.property(anyLife, anyPolicy, anyPolicy, nearEnd, (life, platform, other, offsetMs) => {
        const { appliesTo, appliesSince, exemptRoles } = platform
        const organization = { ...other, appliesTo, appliesSince, exemptRoles }
        const both = { platform, organization }
        const least = {
          ...platform,
          maxLifetimeSeconds: lesser(platform.maxLifetimeSeconds, organization.maxLifetimeSeconds),
          defaultLifetimeSeconds: lesser(
            platform.defaultLifetimeSeconds,
            organization.defaultLifetimeSeconds,
          ),
          idleTimeoutSeconds: lesser(platform.idleTimeoutSeconds, organization.idleTimeoutSeconds),
          accessTokenMaxTtlSeconds: lesser(
            platform.accessTokenMaxTtlSeconds,
            organization.accessTokenMaxTtlSeconds,
          ),
          maxActiveTokens: lesser(platform.maxActiveTokens ?? 10, organization.maxActiveTokens),
        }
        const one = { platform: least, organization: null }
        expect(maxActiveTokens(both)).toBe(maxActiveTokens(one))
        const made = makeCredential({ ...life, policiesThen: both })
        const alone = makeCredential({ ...life, policiesThen: one })
        if (!made.ok || !alone.ok) {
          expect([made.ok, alone.ok]).toEqual([false, false])
          return
        }
        expect(made).toEqual(alone)
        const moved = moveNearEnd(life, made.value, both, offsetMs)
        expect(exchange(standingOf(moved, made.value, both), moved.now)).toEqual(
          exchange(standingOf(moved, made.value, one), moved.now),
        )
      }),
      RUNS,
    )
  })

  it('give no token for longer than each alone would', () => {
    assertLives((life, standing) => {
      const { platform, organization } = standing.policies
      const endMs = (policies: Policies): number => tokenEndMs({ ...standing, policies }, life.now)
      expect(endMs(standing.policies)).toBe(
        Math.min(endMs({ platform, organization: null }), endMs({ platform: null, organization })),
      )
    })
  })

  it('let nobody hold more credentials than the platform does, nor than the organization does', () => {
    fc.assert(
      fc.property(anyPolicies, (policies) => {
        expect(maxActiveTokens(policies)).toBe(
          Math.min(
            policies.platform?.maxActiveTokens ?? 10,
            policies.organization?.maxActiveTokens ?? 10_000,
          ),
        )
      }),
    )
  })
})

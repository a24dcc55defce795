import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  accessTokenCap,
  effectiveExpiry,
  type Lifespan,
} from '../../../../src/server/policy/effective-expiry.ts'
import { maxActiveTokens, type Policies } from '../../../../src/server/policy/policy.ts'
import { anyLifespan, anyPolicies, anyPolicy, tighten } from './policy-fixture.ts'

const RUNS = { numRuns: 500 }

/** The instant as a number; never is infinitely late. */
const expiryMs = (lifespan: Lifespan, policies: Policies): number =>
  effectiveExpiry(lifespan, policies)?.at.getTime() ?? Number.POSITIVE_INFINITY

describe('two levels of policy', () => {
  it('end a credential at the earlier of what each alone would', () => {
    fc.assert(
      fc.property(anyLifespan, anyPolicies, (lifespan, { platform, organization }) => {
        const alone = [
          expiryMs(lifespan, { platform, organization: null }),
          expiryMs(lifespan, { platform: null, organization }),
        ]
        expect(expiryMs(lifespan, { platform, organization })).toBe(Math.min(...alone))
      }),
      RUNS,
    )
  })

  it('weigh the same whichever of them has which rule', () => {
    fc.assert(
      fc.property(anyLifespan, anyPolicies, (lifespan, { platform, organization }) => {
        const swapped = { platform: organization, organization: platform }
        expect(expiryMs(lifespan, swapped)).toBe(expiryMs(lifespan, { platform, organization }))
        expect(accessTokenCap(swapped)?.seconds).toBe(accessTokenCap({ platform, organization })?.seconds)
      }),
      RUNS,
    )
  })

  it('never let a credential live beyond what was agreed', () => {
    fc.assert(
      fc.property(anyLifespan, anyPolicies, (lifespan, policies) => {
        const agreed = lifespan.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY
        expect(expiryMs(lifespan, policies)).toBeLessThanOrEqual(agreed)
      }),
      RUNS,
    )
  })
})

describe('tightening a policy', () => {
  it('never extends an effective expiry, at either level', () => {
    fc.assert(
      fc.property(
        anyLifespan,
        anyPolicy,
        anyPolicy,
        fc.option(anyPolicy),
        (lifespan, before, added, other) => {
          const after = tighten(before, added)
          expect(expiryMs(lifespan, { platform: after, organization: other })).toBeLessThanOrEqual(
            expiryMs(lifespan, { platform: before, organization: other }),
          )
          expect(expiryMs(lifespan, { platform: other, organization: after })).toBeLessThanOrEqual(
            expiryMs(lifespan, { platform: other, organization: before }),
          )
        },
      ),
      RUNS,
    )
  })

  it('never raises the cap of access tokens or the number of credentials', () => {
    const capOf = (policies: Policies) => accessTokenCap(policies)?.seconds ?? Number.POSITIVE_INFINITY
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (before, added) => {
        const tight = { platform: null, organization: tighten(before, added) }
        const loose = { platform: null, organization: before }
        expect(capOf(tight)).toBeLessThanOrEqual(capOf(loose))
        expect(maxActiveTokens(tight)).toBeLessThanOrEqual(maxActiveTokens(loose))
      }),
    )
  })

  it('takes nothing for good: taking the policy away gives back what was agreed', () => {
    fc.assert(
      fc.property(anyLifespan, (lifespan) => {
        const expiry = effectiveExpiry(lifespan, { platform: null, organization: null })
        expect(expiry?.at ?? null).toEqual(lifespan.expiresAt)
      }),
    )
  })

  it('adding a whole policy where there was none never extends it either', () => {
    fc.assert(
      fc.property(anyLifespan, anyPolicies, anyPolicy, (lifespan, { platform }, added) => {
        expect(expiryMs(lifespan, { platform, organization: added })).toBeLessThanOrEqual(
          expiryMs(lifespan, { platform, organization: null }),
        )
      }),
      RUNS,
    )
  })
})

describe('using a credential', () => {
  it('never brings its end nearer', () => {
    fc.assert(
      fc.property(anyLifespan, anyPolicies, fc.nat(1e9), (lifespan, policies, laterMs) => {
        const usedAt = (lifespan.lastUsedAt ?? lifespan.createdAt).getTime() + laterMs
        const used = { ...lifespan, lastUsedAt: new Date(usedAt) }
        expect(expiryMs(used, policies)).toBeGreaterThanOrEqual(expiryMs(lifespan, policies))
      }),
      RUNS,
    )
  })
})

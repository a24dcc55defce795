import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expiryOf, findEnd, findProblem } from '../../../../src/server/credential/standing.ts'
import { statusOf } from '../../../../src/server/credential/status.ts'
import { anyPolicies, instant } from '../policy/policy-fixture.ts'
import { anyStanding } from './standing-fixture.ts'

const RUNS = { numRuns: 500 }

describe('a revoked credential', () => {
  it('never becomes active, whatever the policies and whenever one asks', () => {
    fc.assert(
      fc.property(anyStanding, instant, anyPolicies, instant, (standing, revokedAt, policies, now) => {
        const revoked = { ...standing, policies, credential: { ...standing.credential, revokedAt } }
        expect(statusOf(revoked, now)).toBe('revoked')
        expect(findProblem(revoked, now)).toEqual({ reason: 'credential_revoked' })
      }),
      RUNS,
    )
  })
})

describe('a credential that has ended', () => {
  it('has ended whoever its holder is and whatever the policies say, and nothing else ends it', () => {
    fc.assert(
      fc.property(anyStanding, instant, anyStanding, (standing, now, other) => {
        const end = findEnd(standing.credential, now)
        const elsewhere = { ...other, credential: standing.credential }
        if (end) expect(findProblem(elsewhere, now)).toEqual(end)
        else expect(findProblem(elsewhere, now)?.reason ?? '').not.toMatch(/^credential_/)
      }),
      RUNS,
    )
  })
})

describe('an active credential', () => {
  it('has every condition on its side', () => {
    fc.assert(
      fc.property(anyStanding, instant, (standing, now) => {
        fc.pre(statusOf(standing, now) === 'active')
        const { credential, owner, role } = standing
        expect(credential.revokedAt).toBeNull()
        expect(role).not.toBeNull()
        expect(owner?.status ?? 'active').toBe('active')
        const ends = [credential.expiresAt, credential.overlapUntil, expiryOf(standing)?.at ?? null]
        expect(ends.filter((end) => end !== null && end <= now)).toEqual([])
      }),
      RUNS,
    )
  })

  it('is one whose problem is none, and no other', () => {
    fc.assert(
      fc.property(anyStanding, instant, (standing, now) => {
        expect(statusOf(standing, now) === 'active').toBe(findProblem(standing, now) === null)
      }),
      RUNS,
    )
  })
})

describe('time alone', () => {
  it('never brings a credential back', () => {
    fc.assert(
      fc.property(anyStanding, instant, fc.nat(1e12), (standing, now, laterMs) => {
        fc.pre(statusOf(standing, now) !== 'active')
        expect(statusOf(standing, new Date(now.getTime() + laterMs))).not.toBe('active')
      }),
      RUNS,
    )
  })
})

describe('a policy', () => {
  it('never brings back what ended without it', () => {
    fc.assert(
      fc.property(anyStanding, anyPolicies, instant, (standing, policies, now) => {
        const free = { ...standing, policies: { platform: null, organization: null } }
        const problem = findProblem(free, now)
        fc.pre(problem !== null)
        expect(findProblem({ ...standing, policies }, now)).toEqual(problem)
      }),
      RUNS,
    )
  })

  it('can only block what works without it', () => {
    fc.assert(
      fc.property(anyStanding, instant, (standing, now) => {
        const free = { ...standing, policies: { platform: null, organization: null } }
        fc.pre(statusOf(free, now) === 'active')
        expect(['active', 'blocked_by_policy']).toContain(statusOf(standing, now))
      }),
      RUNS,
    )
  })
})

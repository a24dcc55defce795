import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyCovers } from '../../../../src/protocol/scope.ts'
import { expiryOf, type Permission, type Standing } from '../../../../src/server/credential/standing.ts'
import { type Decision, decide } from '../../../../src/server/exchange/decide.ts'
import { CONCRETE_SCOPES } from '../../protocol/scope-fixture.ts'
import { from, NOW } from '../policy/policy-fixture.ts'
import { type Attempt, anyAttempt, buildSubject } from './exchange-fixture.ts'

const ENOUGH = 300

const decideAttempt = ({ request, standing, client }: Attempt) =>
  decide(request, buildSubject(standing), client, NOW)

/** Checks `law` on decisions; attempts that are refused do not count. */
function assertDecisions(law: (decision: Decision, attempt: Attempt) => void): void {
  fc.assert(
    fc.property(anyAttempt, (attempt) => {
      const decision = decideAttempt(attempt)
      fc.pre(decision.ok)
      law(decision.value, attempt)
    }),
    { numRuns: ENOUGH, maxSkipsPerRun: 100 },
  )
}

const grantsOf = ({ role }: Standing, audiences: readonly string[]) =>
  (role?.grants ?? []).filter(({ audience }) => audiences.includes(audience))

const chosenAt = (permissions: readonly Permission[], audience: string): string[] =>
  permissions.filter((permission) => permission.audience === audience).flatMap(({ scopes }) => scopes)

describe('the scopes of a decision', () => {
  it('are covered by role, credential and resource server, at each audience', () => {
    assertDecisions(({ audiences, scopes }, { standing }) => {
      const { permissions } = standing.credential
      const escaped = grantsOf(standing, audiences).flatMap((grant) => {
        const chosen = permissions ? chosenAt(permissions, grant.audience) : grant.scopes
        const bounds = [grant.scopes, grant.declaredScopes, chosen]
        return scopes.filter((scope) => !bounds.every((bound) => anyCovers(bound, scope)))
      })
      expect(escaped).toEqual([])
    })
  })

  it('are exactly those requested, where some were', () => {
    assertDecisions(({ scopes }, { request }) => {
      expect(scopes).toEqual(request.scopes ?? scopes)
    })
  })

  it('are all that is effective, where none were requested', () => {
    assertDecisions(({ audiences, scopes }, { request, standing }) => {
      fc.pre(request.scopes === null)
      const { permissions } = standing.credential
      const withheld = grantsOf(standing, audiences).flatMap((grant) => {
        const chosen = permissions ? chosenAt(permissions, grant.audience) : grant.scopes
        return CONCRETE_SCOPES.filter(
          (scope) =>
            [grant.scopes, grant.declaredScopes, chosen].every((bound) => anyCovers(bound, scope)) &&
            !anyCovers(scopes, scope),
        )
      })
      expect(withheld).toEqual([])
    })
  })

  it('are never none', () => {
    assertDecisions(({ scopes }) => {
      expect(scopes.length).toBeGreaterThan(0)
    })
  })

  it('do not grow when the credential chooses permissions', () => {
    assertDecisions(({ audiences, scopes }, attempt) => {
      const credential = { ...attempt.standing.credential, permissions: null }
      const request = { ...attempt.request, audiences, scopes }
      const free = decideAttempt({ ...attempt, request, standing: { ...attempt.standing, credential } })
      expect(free).toMatchObject({ ok: true, value: { scopes } })
    })
  })
})

describe('the audiences of a decision', () => {
  it('are those requested, and permitted to role, credential and client', () => {
    assertDecisions(({ audiences }, { request, standing, client }) => {
      if (request.audiences.length > 0) expect([...audiences].sort()).toEqual([...request.audiences].sort())
      else expect(audiences).toHaveLength(1)
      expect(grantsOf(standing, audiences)).toHaveLength(audiences.length)
      expect(audiences.filter((audience) => client.audiences?.includes(audience) === false)).toEqual([])
      const { permissions } = standing.credential
      expect(
        audiences.filter((audience) => permissions && chosenAt(permissions, audience).length === 0),
      ).toEqual([])
    })
  })

  it('all have the algorithm the token is signed with', () => {
    assertDecisions(({ audiences, signingAlg }, { standing }) => {
      expect(grantsOf(standing, audiences).filter((grant) => grant.signingAlg !== signingAlg)).toEqual([])
    })
  })
})

describe('the lifetime of a decision', () => {
  it('never exceeds any of its caps, and is the largest whole number of seconds that does not', () => {
    assertDecisions(({ audiences, lifetimeSeconds }, { standing }) => {
      const { platform, organization } = standing.policies
      const isWithin = (seconds: number): boolean => {
        const expiresAt = expiryOf(standing)?.at
        return (
          grantsOf(standing, audiences).every(
            ({ accessTokenTtlSeconds }) => seconds <= accessTokenTtlSeconds,
          ) &&
          seconds <= (platform?.accessTokenMaxTtlSeconds ?? seconds) &&
          seconds <= (organization?.accessTokenMaxTtlSeconds ?? seconds) &&
          (expiresAt === undefined || from(NOW, seconds) <= expiresAt)
        )
      }
      expect(Number.isInteger(lifetimeSeconds)).toBe(true)
      expect(lifetimeSeconds).toBeGreaterThanOrEqual(1)
      expect([isWithin(lifetimeSeconds), isWithin(lifetimeSeconds + 1)]).toEqual([true, false])
    })
  })

  it('never exceeds what is told to be left of the credential', () => {
    assertDecisions(({ lifetimeSeconds, subjectExpiresInSeconds }) => {
      expect(lifetimeSeconds).toBeLessThanOrEqual(subjectExpiresInSeconds ?? lifetimeSeconds)
    })
  })
})

describe('deciding', () => {
  it('depends on nothing but its arguments', () => {
    fc.assert(
      fc.property(anyAttempt, (attempt) => {
        expect(decideAttempt(attempt)).toEqual(decideAttempt(structuredClone(attempt)))
      }),
    )
  })

  it('refuses only for what a request can be refused for', () => {
    const reasons = [
      'audience_ambiguous',
      'audience_not_permitted',
      'audiences_incompatible',
      'scope_exceeds',
      'scopes_differ',
    ]
    fc.assert(
      fc.property(anyAttempt, (attempt) => {
        const decision = decideAttempt(attempt)
        fc.pre(!decision.ok)
        const isEnded = (expiryOf(attempt.standing)?.at ?? from(NOW, 1)) < from(NOW, 1)
        expect(isEnded ? [...reasons, 'subject_token_refused'] : reasons).toContain(decision.error.reason)
      }),
    )
  })
})

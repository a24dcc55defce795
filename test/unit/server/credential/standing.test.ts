import { describe, expect, it } from 'vitest'
import { expiryOf, findProblem, subjectOf } from '../../../../src/server/credential/standing.ts'
import { statusOf } from '../../../../src/server/credential/status.ts'
import { ID } from '../../protocol/credential-fixture.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'
import {
  buildKeyStanding,
  buildStanding,
  ORGANIZATION,
  OWNER_ID,
  type StandingOverrides,
} from './standing-fixture.ts'

const judge = (overrides: StandingOverrides, now = NOW) => {
  const standing = buildStanding(overrides)
  return { problem: findProblem(standing, now), status: statusOf(standing, now) }
}
const WORKS = { problem: null, status: 'active' }

describe('subjectOf', () => {
  it('is the id of the user a PAT belongs to, and the id of the API key itself', () => {
    expect(subjectOf(buildStanding())).toBe(OWNER_ID)
    expect(subjectOf(buildKeyStanding())).toBe(`key:${ID}`)
  })
})

describe('a credential nothing stands against', () => {
  it('works, with an owner or without one', () => {
    expect(judge({})).toEqual(WORKS)
    const key = buildKeyStanding()
    expect([findProblem(key, NOW), statusOf(key, NOW)]).toEqual([null, 'active'])
  })
})

describe('a revoked credential', () => {
  it('does not work, from whenever it was revoked', () => {
    for (const revokedAt of [from(NOW, -DAY), NOW, from(NOW, 1)]) {
      expect(judge({ credential: { revokedAt } })).toEqual({
        problem: { reason: 'credential_revoked' },
        status: 'revoked',
      })
    }
  })
})

describe('a credential with a successor', () => {
  it('works until the overlap ends, and not from that millisecond on', () => {
    const superseded = { problem: { reason: 'credential_superseded' }, status: 'revoked' }
    expect(judge({ credential: { overlapUntil: from(NOW, 1) } })).toEqual(WORKS)
    expect(judge({ credential: { overlapUntil: from(NOW, 0, 1) } })).toEqual(WORKS)
    expect(judge({ credential: { overlapUntil: NOW } })).toEqual(superseded)
    expect(judge({ credential: { overlapUntil: from(NOW, 0, -1) } })).toEqual(superseded)
  })
})

describe('a credential with an expiry', () => {
  it('works until it comes, and not from that millisecond on', () => {
    const expired = { problem: { reason: 'credential_expired' }, status: 'expired' }
    expect(judge({ credential: { expiresAt: from(NOW, 1) } })).toEqual(WORKS)
    expect(judge({ credential: { expiresAt: from(NOW, 0, 1) } })).toEqual(WORKS)
    expect(judge({ credential: { expiresAt: NOW } })).toEqual(expired)
    expect(judge({ credential: { expiresAt: from(NOW, -1) } })).toEqual(expired)
  })
})

describe('the holder of a credential', () => {
  it.each([
    ['suspended', 'owner_suspended', 'suspended'],
    ['deleted', 'owner_deleted', 'revoked'],
  ] as const)('who is %s stops it', (status, reason, shown) => {
    expect(judge({ owner: { id: OWNER_ID, status, isMember: true } })).toEqual({
      problem: { reason },
      status: shown,
    })
  })

  it('who left the organization stops it', () => {
    const owner = { id: OWNER_ID, status: 'active', isMember: false } as const
    const gone = { problem: { reason: 'membership_missing' }, status: 'suspended' }
    expect(judge({ owner, role: null })).toEqual(gone)
  })

  it('whose role was deleted stops it, be it a user or a key', () => {
    const without = { problem: { reason: 'role_missing' }, status: 'suspended' }
    expect(judge({ role: null })).toEqual(without)
    expect(judge({ owner: null, role: null, credential: { kind: 'organization' } })).toEqual(without)
  })

  it('whose organization was deleted stops it for good', () => {
    const organization = { ...ORGANIZATION, isDeleted: true }
    expect(judge({ organization })).toEqual({
      problem: { reason: 'organization_deleted' },
      status: 'revoked',
    })
  })
})

describe('a credential under policy', () => {
  const createdAt = from(NOW, -30 * DAY)

  it('is blocked from the millisecond its maximum lifetime is over', () => {
    const policies = buildPolicies({ maxLifetimeSeconds: 30 * DAY })
    const blocked = {
      problem: { reason: 'blocked_by_policy', rule: 'max_lifetime' },
      status: 'blocked_by_policy',
    }
    expect(judge({ credential: { createdAt: from(createdAt, 1) }, policies })).toEqual(WORKS)
    expect(judge({ credential: { createdAt: from(createdAt, 0, 1) }, policies })).toEqual(WORKS)
    expect(judge({ credential: { createdAt }, policies })).toEqual(blocked)
    expect(judge({ credential: { createdAt: from(createdAt, 0, -1) }, policies })).toEqual(blocked)
  })

  it('is blocked from the millisecond it was idle too long', () => {
    const policies = buildPolicies(null, { idleTimeoutSeconds: 7 * DAY })
    const blocked = {
      problem: { reason: 'blocked_by_policy', rule: 'idle_timeout' },
      status: 'blocked_by_policy',
    }
    const lastUsedAt = from(NOW, -7 * DAY)
    expect(judge({ credential: { lastUsedAt: from(lastUsedAt, 0, 1) }, policies })).toEqual(WORKS)
    expect(judge({ credential: { lastUsedAt }, policies })).toEqual(blocked)
    expect(judge({ credential: { lastUsedAt: from(lastUsedAt, -1) }, policies })).toEqual(blocked)
  })

  it('works again once the policy is loosened', () => {
    expect(
      judge({ credential: { createdAt }, policies: buildPolicies({ maxLifetimeSeconds: 29 * DAY }) }).status,
    ).toBe('blocked_by_policy')
    expect(
      judge({ credential: { createdAt }, policies: buildPolicies({ maxLifetimeSeconds: 31 * DAY }) }),
    ).toEqual(WORKS)
  })

  it('is spared by a policy that exempts the role it acts with now', () => {
    const policies = buildPolicies({ maxLifetimeSeconds: DAY, exemptRoles: ['analyst'] })
    expect(judge({ credential: { createdAt }, policies })).toEqual(WORKS)
    const role = { name: 'former-analyst', reach: 'organization', grants: [] } as const
    expect(judge({ credential: { createdAt }, policies, role }).status).toBe('blocked_by_policy')
  })
})

describe('several causes at once', () => {
  const past = from(NOW, -DAY)
  const policies = buildPolicies({ maxLifetimeSeconds: 1 })
  const dead = { expiresAt: past, overlapUntil: past, revokedAt: past }
  const deleted = { id: OWNER_ID, status: 'deleted', isMember: false } as const
  const suspended = { id: OWNER_ID, status: 'suspended', isMember: true } as const

  it.each([
    ['credential_revoked', { credential: dead, owner: deleted, role: null, policies }],
    [
      'credential_superseded',
      { credential: { ...dead, revokedAt: null }, owner: deleted, role: null, policies },
    ],
    ['credential_expired', { credential: { expiresAt: past }, owner: deleted, role: null, policies }],
    ['owner_deleted', { owner: deleted, role: null, policies }],
    ['owner_suspended', { owner: suspended, role: null, policies }],
    ['membership_missing', { owner: { ...deleted, status: 'active' as const }, role: null, policies }],
    ['role_missing', { role: null, policies }],
    ['blocked_by_policy', { policies }],
  ])('name %s before those that could pass', (reason, overrides) => {
    expect(judge(overrides).problem?.reason).toBe(reason)
  })

  it('call a credential expired that both its expiry and a policy have ended', () => {
    const credential = { createdAt: from(NOW, -30 * DAY), expiresAt: from(NOW, -1) }
    expect(judge({ credential, policies }).status).toBe('expired')
  })
})

describe('expiryOf', () => {
  it('is the least of agreement and policy, under the role of now', () => {
    const policies = buildPolicies({ maxLifetimeSeconds: 30 * DAY, exemptRoles: ['admin'] })
    const credential = { createdAt: NOW, expiresAt: from(NOW, 60 * DAY) }
    const exempt = { name: 'admin', reach: 'organization', grants: [] } as const
    expect(expiryOf(buildStanding({ credential, policies }))?.at).toEqual(from(NOW, 30 * DAY))
    expect(expiryOf(buildStanding({ credential, policies, role: exempt }))?.at).toEqual(from(NOW, 60 * DAY))
    expect(expiryOf(buildStanding({ credential, policies, role: null }))?.at).toEqual(from(NOW, 30 * DAY))
    expect(expiryOf(buildStanding())).toBeNull()
  })
})

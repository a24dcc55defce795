import { describe, expect, it } from 'vitest'
import { statusDetailOf, statusOf } from '../../../../src/server/credential/status.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'
import { buildStanding, ORGANIZATION, OWNER_ID, type StandingOverrides } from './standing-fixture.ts'

const tell = (overrides: StandingOverrides) => {
  const standing = buildStanding(overrides)
  return [statusOf(standing, NOW), statusDetailOf(standing, NOW)]
}
const owner = (status: 'active' | 'suspended' | 'deleted', isMember = true) => ({
  owner: { id: OWNER_ID, status, isMember },
})

describe('the status of a credential and what there is to say about it', () => {
  it.each<[string, StandingOverrides, (string | null)[]]>([
    ['works', {}, ['active', null]],
    ['has a successor', { credential: { overlapUntil: from(NOW, 1) } }, ['active', 'rotated']],
    [
      'came of one that was reused',
      { credential: { reuseDetectedAt: NOW } },
      ['active', 'predecessor_reused'],
    ],
    [
      'came of one that was reused and has a successor itself',
      { credential: { reuseDetectedAt: NOW, overlapUntil: from(NOW, 1) } },
      ['active', 'predecessor_reused'],
    ],
    ['gave way to its successor', { credential: { overlapUntil: NOW } }, ['revoked', 'rotated']],
    ['was revoked by its owner', { credential: { revokedAt: NOW } }, ['revoked', null]],
    [
      'was revoked for a reason',
      { credential: { revokedAt: NOW, revokedReason: 'predecessor_reused' } },
      ['revoked', 'predecessor_reused'],
    ],
    ['has expired', { credential: { expiresAt: NOW } }, ['expired', null]],
    [
      'is of a deleted organization',
      { organization: { ...ORGANIZATION, isDeleted: true } },
      ['revoked', 'organization_deleted'],
    ],
    ['is of a deleted user', owner('deleted'), ['revoked', 'owner_deleted']],
    ['is of a suspended user', owner('suspended'), ['suspended', 'owner_suspended']],
    ['is of a former member', owner('active', false), ['suspended', 'membership_missing']],
    ['has no role', { role: null }, ['suspended', 'role_missing']],
    [
      'is blocked by a policy',
      { policies: buildPolicies({ maxLifetimeSeconds: DAY }) },
      ['blocked_by_policy', 'max_lifetime'],
    ],
  ])('of one that %s', (_, overrides, told) => {
    expect(tell(overrides)).toEqual(told)
  })
})

import { describe, expect, it } from 'vitest'
import { type Circumstances, judgeNotice } from '../../../../src/server/notices/judge.ts'
import type { Notice } from '../../../../src/server/notices/notice-store.ts'
import { buildCredential, buildStanding, ORGANIZATION, OWNER_ID } from '../credential/standing-fixture.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'

const ENDS_AT = from(NOW, 7 * DAY)
const OWNER = { id: OWNER_ID, name: 'Jane', email: 'jane@acme.test' }
const NOTICE: Notice = {
  id: '019cb1d5-0000-7000-8000-000000000001',
  credentialId: buildCredential().id,
  organizationId: ORGANIZATION.id,
  days: 7,
  channel: 'email',
  receiver: 'email',
  endsOn: ENDS_AT.toISOString().slice(0, 10),
  state: 'pending',
  createdAt: NOW,
  told: [],
}

const circumstances = (overrides: Parameters<typeof buildCredential>[0] = {}): Circumstances => ({
  standing: buildStanding({ credential: buildCredential({ expiresAt: ENDS_AT, ...overrides }) }),
  owner: OWNER,
  hasNearer: false,
})

describe('a notice whose turn has come', () => {
  it('says what is true then', () => {
    expect(judgeNotice(NOTICE, circumstances({ name: 'renamed' }), NOW)).toEqual({
      id: NOTICE.id,
      createdAt: NOW,
      days: 7,
      endsAt: ENDS_AT,
      cause: 'expires_at',
      credential: expect.objectContaining({ id: NOTICE.credentialId, kind: 'personal', name: 'renamed' }),
      organization: 'acme',
      owner: OWNER,
    })
  })

  it.each([
    ['revoked', { revokedAt: NOW }],
    ['expired', { expiresAt: NOW }],
    ['superseded', { overlapUntil: NOW }],
  ])('is cancelled when the credential is %s', (_, change) => {
    expect(judgeNotice(NOTICE, circumstances(change), NOW)).toBe('credential_stopped')
  })

  it('is cancelled when nobody knows the credential, or its owner is suspended', () => {
    const { standing } = circumstances()
    const suspended = standing && {
      ...standing,
      owner: { id: OWNER_ID, status: 'suspended' as const, isMember: true },
    }
    expect(judgeNotice(NOTICE, { ...circumstances(), standing: undefined }, NOW)).toBe('credential_stopped')
    expect(judgeNotice(NOTICE, { ...circumstances(), standing: suspended }, NOW)).toBe('credential_stopped')
  })

  it('is cancelled when the credential has a successor, also while both work', () => {
    expect(judgeNotice(NOTICE, circumstances({ overlapUntil: from(NOW, 1) }), NOW)).toBe('credential_rotated')
  })

  it('is cancelled when the end has moved to another day, or is gone', () => {
    const moved = from(new Date(`${NOTICE.endsOn}T23:59:59.999Z`), 0, 1)
    expect(judgeNotice(NOTICE, circumstances({ expiresAt: moved }), NOW)).toBe('end_moved')
    expect(judgeNotice(NOTICE, circumstances({ expiresAt: null }), NOW)).toBe('end_moved')
  })

  it('is sent with the new end when that has moved within its day', () => {
    const moved = new Date(`${NOTICE.endsOn}T23:59:59.999Z`)
    expect(judgeNotice(NOTICE, circumstances({ expiresAt: moved }), NOW)).toMatchObject({ endsAt: moved })
  })

  it('is cancelled when a policy ends the credential sooner, or ended it', () => {
    const underPolicy = (maxLifetimeSeconds: number): Circumstances => {
      const { standing } = circumstances()
      const policies = buildPolicies({ maxLifetimeSeconds })
      return { ...circumstances(), standing: standing && { ...standing, policies } }
    }
    expect(judgeNotice(NOTICE, underPolicy(11 * DAY), NOW)).toBe('end_moved')
    expect(judgeNotice(NOTICE, underPolicy(9 * DAY), NOW)).toBe('credential_stopped')
  })

  it('is cancelled when a nearer threshold has a notice', () => {
    expect(judgeNotice(NOTICE, { ...circumstances(), hasNearer: true }, NOW)).toBe('nearer_notice')
  })
})

import { describe, expect, it } from 'vitest'
import { viewCredential } from '../../../../src/server/api/credential-view.ts'
import { API, buildKeyStanding, buildStanding, OWNER_ID } from '../credential/standing-fixture.ts'
import { buildPolicies, DAY, from, NOW } from '../policy/policy-fixture.ts'

describe('a credential as JSON', () => {
  it('has every member of the contract, and no other', () => {
    const permissions = [{ audience: API, scopes: ['models:read'] }]
    const standing = buildStanding({
      credential: {
        permissions,
        allowedCidrs: ['10.0.0.0/8'],
        mayAct: [{ sub: 'key:fedcba9876543210', client_id: 'orders-service' }],
        expiresAt: from(NOW, 90 * DAY),
        lastUsedAt: from(NOW, -1),
        lastUsedIp: '10.0.0.1',
      },
      policies: buildPolicies({ maxLifetimeSeconds: 30 * DAY }),
    })
    expect(viewCredential(standing, NOW)).toEqual({
      id: '0123456789abcdef',
      kind: 'personal',
      name: 'laptop',
      prefix: 'pat_012345',
      organization: 'acme',
      owner: OWNER_ID,
      role: 'analyst',
      permissions,
      created_at: '2026-02-19T12:00:00.000Z',
      expires_at: '2026-05-30T12:00:00.000Z',
      effective_expires_at: '2026-03-21T12:00:00.000Z',
      last_used_at: '2026-03-01T11:59:59.000Z',
      last_used_ip: '10.0.0.1',
      status: 'active',
      status_detail: null,
      blocked_by: null,
      allowed_cidrs: ['10.0.0.0/8'],
      may_act: [{ sub: 'key:fedcba9876543210', client_id: 'orders-service' }],
    })
  })

  it('says null where there is nothing to say', () => {
    expect(viewCredential(buildKeyStanding(), NOW)).toEqual({
      id: '0123456789abcdef',
      kind: 'organization',
      name: 'laptop',
      prefix: 'key_012345',
      organization: 'acme',
      owner: null,
      role: 'analyst',
      permissions: null,
      created_at: '2026-02-19T12:00:00.000Z',
      expires_at: null,
      effective_expires_at: null,
      last_used_at: null,
      last_used_ip: null,
      status: 'active',
      status_detail: null,
      blocked_by: null,
      allowed_cidrs: null,
      may_act: null,
    })
  })

  it('tells the status of the moment', () => {
    const standing = buildStanding({ credential: { expiresAt: NOW } })
    expect(viewCredential(standing, from(NOW, 0, -1)).status).toBe('active')
    expect(viewCredential(standing, NOW).status).toBe('expired')
  })

  it.each([
    [{ maxLifetimeSeconds: 5 * DAY, idleTimeoutSeconds: 8 * DAY }, null, 'max_lifetime', 'platform', 5 * DAY],
    [
      { maxLifetimeSeconds: 9 * DAY },
      { idleTimeoutSeconds: 7 * DAY },
      'idle_timeout',
      'organization',
      7 * DAY,
    ],
  ] as const)(
    'names the rule that blocks it, whose that is, and its limit: %j %j',
    (platform, organization, rule, level, limit) => {
      const standing = buildStanding({ policies: buildPolicies(platform, organization) })
      const stopsAt = from(standing.credential.createdAt, limit)
      expect(viewCredential(standing, from(stopsAt, -1)).blocked_by).toBeNull()
      const { status, status_detail, blocked_by } = viewCredential(standing, from(stopsAt, 1))
      expect([status, status_detail, blocked_by]).toEqual([
        'blocked_by_policy',
        rule,
        { rule, level, limit_seconds: limit },
      ])
    },
  )

  it('names no rule where something else ended it before', () => {
    const standing = buildStanding({
      credential: { revokedAt: NOW },
      policies: buildPolicies({ maxLifetimeSeconds: DAY }),
    })
    expect(viewCredential(standing, NOW)).toMatchObject({ status: 'revoked', blocked_by: null })
  })

  it('holds neither the hash nor anything of how it is checked', () => {
    const standing = buildStanding({
      secretHash: '$argon2id$v=19$m=1024,t=1,p=1,data=c2VjcmV0$c2FsdA$aGFzaA',
    })
    expect(JSON.stringify(viewCredential(standing, NOW))).not.toMatch(/argon2|aGFzaA|c2FsdA/)
  })
})

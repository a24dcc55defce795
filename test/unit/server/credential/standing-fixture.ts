// Standings for tests: of a PAT that works, of an API key, and arbitrary ones.

import fc from 'fast-check'
import type { CredentialKind } from '../../../../src/protocol/credential.ts'
import type { Credential, Grant, Role, Standing } from '../../../../src/server/credential/standing.ts'
import { ID } from '../../protocol/credential-fixture.ts'
import { anyPolicies, buildPolicies, DAY, from, instant, NOW, ROLES } from '../policy/policy-fixture.ts'

export const API = 'https://api.example.com'
export const OWNER_ID = '0198c1f0-0000-7000-8000-000000000001'
export const ORGANIZATION = { id: '0198c1f0-0000-7000-8000-00000000000a', slug: 'acme', isDeleted: false }

export function buildGrant(overrides: Partial<Grant> = {}): Grant {
  return {
    audience: API,
    scopes: ['models:read', 'datasets:*'],
    declaredScopes: ['models:read', 'models:write', 'datasets:read'],
    accessTokenTtlSeconds: 300,
    signingAlg: 'ES256',
    dpopRequired: false,
    ...overrides,
  }
}

export const buildRole = (overrides: Partial<Role> = {}): Role => ({
  name: 'analyst',
  reach: 'organization',
  grants: [buildGrant()],
  ...overrides,
})

export function buildCredential(overrides: Partial<Credential> = {}): Credential {
  return {
    id: ID,
    kind: 'personal',
    name: 'laptop',
    permissions: null,
    allowedCidrs: null,
    mayAct: null,
    createdAt: from(NOW, -10 * DAY),
    expiresAt: null,
    lastUsedAt: null,
    lastUsedIp: null,
    revokedAt: null,
    revokedReason: null,
    statusIndex: 7,
    replaces: null,
    overlapUntil: null,
    reuseDetectedAt: null,
    issuedReach: null,
    issuedScopes: null,
    ...overrides,
  }
}

export interface StandingOverrides extends Partial<Omit<Standing, 'credential'>> {
  readonly credential?: Partial<Credential>
}

/** The standing of a PAT that works at `NOW` and never expires. */
export function buildStanding({ credential, ...overrides }: StandingOverrides = {}): Standing {
  return {
    credential: buildCredential(credential),
    secretHash: 'no hash was made for this test',
    organization: ORGANIZATION,
    owner: { id: OWNER_ID, status: 'active', isMember: true },
    role: buildRole(),
    policies: buildPolicies(),
    ...overrides,
  }
}

/** The standing of an API key: nobody owns it, and its role is its own. */
export const buildKeyStanding = (overrides: StandingOverrides = {}): Standing =>
  buildStanding({ owner: null, ...overrides, credential: { kind: 'organization', ...overrides.credential } })

const maybeInstant = fc.option(instant, { freq: 3 })
const rareInstant = fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: instant })

export const anyStanding: fc.Arbitrary<Standing> = fc
  .record({
    kind: fc.constantFrom<CredentialKind>('personal', 'organization'),
    status: fc.constantFrom('active', 'active', 'suspended', 'deleted'),
    role: fc.option(
      fc.constantFrom(...ROLES).map((name) => buildRole({ name })),
      { freq: 9 },
    ),
    policies: anyPolicies,
    times: fc.record({
      createdAt: instant,
      expiresAt: fc.option(instant, { freq: 2 }),
      lastUsedAt: maybeInstant,
      revokedAt: rareInstant,
      overlapUntil: rareInstant,
    }),
  })
  .map(({ kind, status, role, policies, times }) =>
    buildStanding({
      credential: { kind, ...times },
      owner: kind === 'organization' ? null : { id: OWNER_ID, status, isMember: role !== null },
      role,
      policies,
    }),
  )

// Exchanges for tests: parameters as the grant hands them over, requests, clients, and arbitrary ones of each.

import fc from 'fast-check'
import type { AccessTokenClaims } from '../../../../src/protocol/access-token.ts'
import { PAT_TYPE } from '../../../../src/protocol/urn.ts'
import {
  type Grant,
  type Permission,
  type Standing,
  subjectOf,
} from '../../../../src/server/credential/standing.ts'
import type { ExchangeClient } from '../../../../src/server/exchange/client.ts'
import type { Presenter } from '../../../../src/server/exchange/present.ts'
import type { ExchangeRequest, TokenParameters } from '../../../../src/server/exchange/request.ts'
import { makeCredential, PAT } from '../../protocol/credential-fixture.ts'
import { CONCRETE_SCOPES, grantableScope } from '../../protocol/scope-fixture.ts'
import { API, buildGrant, buildRole, buildStanding } from '../credential/standing-fixture.ts'
import { anyPolicies, buildPolicies, DAY, from, instant, NOW, ROLES } from '../policy/policy-fixture.ts'

/** Parameters of the least exchange; `undefined` takes one out. */
export const buildParameters = (overrides: TokenParameters = {}): TokenParameters => ({
  subject_token: PAT,
  subject_token_type: PAT_TYPE,
  ...overrides,
})

export const buildRequest = (overrides: Partial<ExchangeRequest> = {}): ExchangeRequest => ({
  subjectToken: makeCredential(),
  actorToken: null,
  audiences: [],
  scopes: null,
  details: null,
  ...overrides,
})

export const buildSubject = (
  standing: Standing,
  token: Partial<AccessTokenClaims> | null = null,
): Presenter => ({ standing, token: token && { ...buildClaims(standing), ...token } })

/** Of a token for every audience and scope there is, as good as the credential behind it. */
const buildClaims = ({ credential, organization, owner }: Standing): AccessTokenClaims => ({
  iss: 'https://tokens.example.com',
  sub: subjectOf({ owner, credential }),
  aud: [API, ...AUDIENCES],
  exp: Math.floor(NOW.getTime() / 1000) + 300,
  iat: Math.floor(NOW.getTime() / 1000),
  jti: '0198c1f0-0000-7000-8000-000000000009',
  client_id: 'patmint-cli',
  scope: '*:*',
  org: organization.slug,
  cred: credential.id,
})

export const buildClient = (overrides: Partial<ExchangeClient> = {}): ExchangeClient => ({
  clientId: 'patmint-cli',
  mayExchange: true,
  audiences: null,
  ...overrides,
})

export const AUDIENCES = ['https://a.example.com', 'https://b.example.com', 'urn:example:c']

const grantableScopes = fc.array(grantableScope, { minLength: 1, maxLength: 4 })

/** What a grant has beside its audience. Half of the roles hold everything. */
const anyTerms = fc.record({
  scopes: fc.oneof(grantableScopes, fc.constant(['*:*', 'openid'])),
  declaredScopes: fc.oneof(fc.subarray([...CONCRETE_SCOPES], { minLength: 1 }), fc.constant(CONCRETE_SCOPES)),
  accessTokenTtlSeconds: fc.integer({ min: 1, max: 3600 }),
  signingAlg: fc.constantFrom('ES256', 'ES256', 'ES256', 'EdDSA'),
})

/** Grants for these audiences; some have the same terms, so that they can share a token. */
const anyGrants = (audiences: readonly string[]): fc.Arbitrary<Grant[]> =>
  fc
    .oneof(fc.tuple(anyTerms), fc.array(anyTerms, { minLength: 1, maxLength: audiences.length }))
    .map((terms) =>
      audiences.map((audience, index) => buildGrant({ audience, ...terms[index % terms.length] })),
    )

const anyPermission: fc.Arbitrary<Permission> = fc.record({
  audience: fc.constantFrom(...AUDIENCES),
  scopes: grantableScopes,
})
const anyPermissions = fc.oneof(
  fc.array(anyPermission, { maxLength: 4 }),
  grantableScopes.map((scopes) => AUDIENCES.map((audience) => ({ audience, scopes }))),
)

/** An exchange at `NOW`; its credential may have ended by then. */
export interface Attempt {
  readonly request: ExchangeRequest
  readonly standing: Standing
  readonly client: ExchangeClient
}

/** Soon enough to be the least of all caps, and around the instants where that begins and ends. */
const nearExpiry = fc.oneof(
  fc.integer({ min: 0, max: 7200 * 1000 }).map((ms) => from(NOW, 0, ms)),
  fc.constantFrom(0, 1, 999, 1000, 1001, 1999, 2000).map((ms) => from(NOW, 0, ms)),
)

/** Who holds what, where: some audiences with grants at them, and which of them are asked for. */
const anyReach = fc.subarray(AUDIENCES, { minLength: 1 }).chain((granted) =>
  fc.record({
    grants: anyGrants(granted),
    audiences: fc.oneof(
      { weight: 1, arbitrary: fc.shuffledSubarray(AUDIENCES, { maxLength: 2 }) },
      { weight: 4, arbitrary: fc.shuffledSubarray(granted, { minLength: 1 }) },
    ),
  }),
)

export const anyAttempt: fc.Arbitrary<Attempt> = fc
  .record({
    reach: anyReach,
    permissions: fc.option(anyPermissions, { freq: 2 }),
    expiresAt: fc.option(nearExpiry, { freq: 2 }),
    createdAt: fc.oneof(instant, fc.constant(from(NOW, -DAY))),
    policies: fc.oneof(anyPolicies, fc.constant(buildPolicies())),
    roleName: fc.constantFrom(...ROLES),
    client: fc.oneof(fc.constant(null), fc.constant(AUDIENCES), fc.subarray(AUDIENCES)),
    scopes: fc.option(fc.subarray([...CONCRETE_SCOPES], { minLength: 1, maxLength: 2 }), { freq: 2 }),
  })
  .map(({ reach, permissions, expiresAt, createdAt, policies, roleName, client, scopes }) => ({
    request: buildRequest({ audiences: reach.audiences, scopes }),
    standing: buildStanding({
      credential: { permissions, expiresAt, createdAt },
      role: buildRole({ name: roleName, grants: reach.grants }),
      policies,
    }),
    client: buildClient({ audiences: client }),
  }))

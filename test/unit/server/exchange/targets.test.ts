import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyCovers, isConcreteScope } from '../../../../src/protocol/scope.ts'
import { listTargets } from '../../../../src/server/exchange/target.ts'
import { API, buildGrant, buildRole, buildStanding } from '../credential/standing-fixture.ts'
import { anyAttempt, buildClient } from './exchange-fixture.ts'

const OTHER = 'https://other.example.com'
const role = buildRole({ grants: [buildGrant(), buildGrant({ audience: OTHER, scopes: ['models:*'] })] })

const scopesAt = (permissions: { audience: string; scopes: string[] }[] | null, client = buildClient()) =>
  listTargets(buildStanding({ role, credential: { permissions } }), client).map(({ audience, scopes }) => [
    audience,
    scopes,
  ])

describe('listTargets', () => {
  it('gives all of the role that the resource servers declare, where the credential chose nothing', () => {
    expect(scopesAt(null)).toEqual([
      [API, ['datasets:read', 'models:read']],
      [OTHER, ['models:read', 'models:write']],
    ])
  })

  it('narrows to what the credential chose, and leaves out where that is nothing', () => {
    expect(scopesAt([{ audience: API, scopes: ['models/m1:*'] }])).toEqual([[API, ['models/m1:read']]])
    expect(scopesAt([{ audience: API, scopes: ['models:write'] }])).toEqual([])
    expect(scopesAt([])).toEqual([])
  })

  it('adds up what the credential chose for one audience in several entries', () => {
    const permissions = [
      { audience: API, scopes: ['models:read'] },
      { audience: OTHER, scopes: ['*:read'] },
      { audience: API, scopes: ['datasets:*'] },
    ]
    expect(scopesAt(permissions)).toEqual([
      [API, ['datasets:read', 'models:read']],
      [OTHER, ['models:read']],
    ])
  })

  it('leaves out the audiences the client may not ask for', () => {
    expect(scopesAt(null, buildClient({ audiences: [OTHER] }))).toEqual([
      [OTHER, ['models:read', 'models:write']],
    ])
    expect(scopesAt(null, buildClient({ audiences: [] }))).toEqual([])
    expect(scopesAt(null, buildClient({ audiences: [`${API}/`] }))).toEqual([])
  })

  it('leaves out a resource server whose scopes the role no longer meets', () => {
    const grants = [
      buildGrant({ declaredScopes: [] }),
      buildGrant({ audience: OTHER, declaredScopes: ['openid'] }),
    ]
    expect(listTargets(buildStanding({ role: buildRole({ grants }) }), buildClient())).toEqual([])
  })

  it('gives nothing without a role', () => {
    expect(listTargets(buildStanding({ role: null }), buildClient())).toEqual([])
  })

  it('gives what the resource server says of its tokens', () => {
    const grants = [buildGrant({ accessTokenTtlSeconds: 77, signingAlg: 'PS256' })]
    expect(listTargets(buildStanding({ role: buildRole({ grants }) }), buildClient())).toMatchObject([
      { audience: API, accessTokenTtlSeconds: 77, signingAlg: 'PS256' },
    ])
  })

  it('never gives an empty or wildcard scope list, nor a scope that was not declared', () => {
    fc.assert(
      fc.property(anyAttempt, ({ standing, client }) => {
        for (const { audience, scopes } of listTargets(standing, client)) {
          const declared =
            standing.role?.grants.find((grant) => grant.audience === audience)?.declaredScopes ?? []
          expect(scopes).not.toEqual([])
          expect(scopes.filter((scope) => !isConcreteScope(scope) || !anyCovers(declared, scope))).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
})

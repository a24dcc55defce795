import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyCovers } from '../../../../src/protocol/scope.ts'
import { findExcess } from '../../../../src/server/credential/terms.ts'
import { CONCRETE_SCOPES, scopeSet } from '../../protocol/scope-fixture.ts'
import { API, buildGrant, buildRole } from './standing-fixture.ts'

const find = (scopes: string[], grant = {}, audience = API) =>
  findExcess(buildRole({ grants: [buildGrant(grant)] }), [{ audience, scopes }])

describe('findExcess', () => {
  it.each([
    [['models:read']],
    [['models/m1:read']],
    [['datasets:read']],
    [['datasets:*']],
    [['datasets/d1:*']],
    [['models:read', 'datasets:read']],
  ])('finds none in %j, which the role holds', (scopes) => {
    expect(find(scopes)).toBeNull()
  })

  it('finds none where nothing is asked for', () => {
    expect(findExcess(buildRole(), [])).toBeNull()
  })

  it.each([
    ['a scope the role does not hold', 'models:write'],
    ['a wildcard over more than the role holds', 'models:*'],
    ['every action on everything', '*:*'],
    ['a scope nobody knows', 'openid'],
    ['a scope of the role that the resource server does not declare', 'datasets:write'],
  ])('finds %s', (_, scope) => {
    expect(find(['models:read', scope])).toEqual({ audience: API, scope })
  })

  it('finds an audience the role has nothing at', () => {
    const audience = 'https://other.example.com'
    expect(find(['models:read'], {}, audience)).toEqual({ audience, scope: null })
  })

  it('finds a scope the resource server has given up', () => {
    expect(find(['models:read'], { declaredScopes: ['datasets:read'] })).toEqual({
      audience: API,
      scope: 'models:read',
    })
  })

  it('names the first of several', () => {
    const role = buildRole({
      grants: [buildGrant(), buildGrant({ audience: 'https://b.example.com', scopes: ['*:*'] })],
    })
    const permissions = [
      { audience: 'https://b.example.com', scopes: ['models:read'] },
      { audience: API, scopes: ['models:read', 'models:write', 'models:*'] },
      { audience: 'https://c.example.com', scopes: ['models:read'] },
    ]
    expect(findExcess(role, permissions)).toEqual({ audience: API, scope: 'models:write' })
  })

  it('lets through only what the role covers', () => {
    const declared = fc.subarray([...CONCRETE_SCOPES])
    fc.assert(
      fc.property(scopeSet, declared, scopeSet, (scopes, declaredScopes, wanted) => {
        const held = wanted.filter((scope) => find([scope], { scopes, declaredScopes }) === null)
        expect(held.filter((scope) => !anyCovers(scopes, scope))).toEqual([])
      }),
      { numRuns: 300 },
    )
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requireScope } from '../../../src/verify/index.ts'
import { catchRefusal } from './issuer-fixture.ts'

const word = fc.stringMatching(/^[a-z0-9_.-]+$/)

describe('requireScope', () => {
  it.each([
    ['models:read', 'models:read'],
    ['models:read', 'models/m1:read'],
    ['datasets:read models/m1:read', 'models/m1:read'],
    ['opaque', 'opaque'],
  ])('finds in %j enough for %j', (scope, required) => {
    expect(() => requireScope({ scope }, required)).not.toThrow()
  })

  it.each([
    ['models/m1:read', 'models:read'],
    ['models:read', 'models:write'],
    ['models/m1:read', 'models/m2:read'],
    ['models:rea', 'models:read'],
    ['', 'models:read'],
    [undefined, 'models:read'],
  ])('does not find in %j enough for %j', async (scope, required) => {
    const error = await catchRefusal(() => requireScope(scope === undefined ? {} : { scope }, required))
    expect([error.code, error.status, error.wwwAuthenticate]).toEqual([
      'scope_insufficient',
      403,
      `Bearer error="insufficient_scope", scope="${required}"`,
    ])
  })

  it('requires every scope of a list, and names them all', async () => {
    const claims = { scope: 'models:read' }
    expect(() => requireScope(claims, ['models:read', 'models/m1:read'])).not.toThrow()
    const error = await catchRefusal(() => requireScope(claims, ['models:read', 'models:write']))
    expect(error.wwwAuthenticate).toBe('Bearer error="insufficient_scope", scope="models:read models:write"')
  })

  it('tells whoever proved a key by the scheme DPoP', async () => {
    const claims = { scope: 'models:read', cnf: { jkt: 'thumbprint' } }
    const error = await catchRefusal(() => requireScope(claims, 'models:write'))
    expect(error.wwwAuthenticate).toBe(
      'DPoP error="insufficient_scope", scope="models:write", algs="ES256 EdDSA Ed25519 RS256 PS256"',
    )
  })

  it('lets a type stand for its entities and never the other way round', () => {
    fc.assert(
      fc.property(word, word, fc.stringMatching(/^[A-Za-z0-9_.~-]+$/), (type, action, entity) => {
        const [all, one] = [`${type}:${action}`, `${type}/${entity}:${action}`]
        expect(() => requireScope({ scope: all }, one)).not.toThrow()
        expect(() => requireScope({ scope: one }, all)).toThrow(
          'The token does not hold the scope this takes',
        )
      }),
    )
  })

  it.each([
    [''],
    [[]],
    ['models:read models:write'],
    ['models:*'],
    ['a"b'],
    [['models:read', 7]],
    [undefined],
  ])('is called wrongly with %j', (scopes) => {
    const careless: unknown = scopes
    expect(() => requireScope({ scope: 'models:read' }, careless as string)).toThrow(
      new TypeError('requireScope: name at least one scope, each without spaces and wildcards'),
    )
  })
})

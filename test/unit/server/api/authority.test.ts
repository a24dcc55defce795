import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyCovers, narrowScopes } from '../../../../src/protocol/scope.ts'
import { findBeyond, findEscalation, findNewToOrganization } from '../../../../src/server/api/authority.ts'
import type { Permission } from '../../../../src/server/credential/standing.ts'

const MANAGEMENT = 'https://sts.example.test/api'
const API = 'https://api.example.com'

const manage = (...scopes: string[]): Permission => ({ audience: MANAGEMENT, scopes })
const use = (...scopes: string[]): Permission => ({ audience: API, scopes })
const role = (...grants: Permission[]) => ({ reach: 'organization', grants }) as const

interface Held {
  readonly scopes?: readonly string[]
  readonly isPlatformWide?: boolean
  readonly models?: readonly string[]
}
const caller = ({ scopes = [], isPlatformWide = false, models = [] }: Held = {}) => ({
  scopes,
  isPlatformWide,
  permissions: [
    { audience: MANAGEMENT, scopes },
    { audience: API, scopes: models },
  ],
})

describe('an escalation', () => {
  const escalation = (held: Held, ...grants: Permission[]) =>
    findEscalation(caller(held), role(...grants), MANAGEMENT)

  it.each<[Held, string[], string | null]>([
    [{}, [], null],
    [{}, ['keys:read'], 'keys:read'],
    [{ scopes: ['keys:read'] }, ['keys:read'], null],
    // All that a wildcard covers today is not all that it will cover.
    [{ scopes: ['keys:read', 'keys:write'] }, ['keys:*'], 'keys:*'],
    [{ scopes: ['keys:*'] }, ['keys:*'], null],
    [{ scopes: ['keys:*'] }, ['keys:write', 'keys:rotate'], null],
    [{ scopes: ['keys:*'] }, ['*:read'], '*:read'],
    [{ scopes: ['*:*'] }, ['*:*'], null],
    [{ scopes: ['keys:read'] }, ['keys/k1:read'], null],
    [{ scopes: ['keys/k1:read'] }, ['keys:read'], 'keys:read'],
    // What the API does not declare is a right as soon as it does.
    [{}, ['nothing:read'], 'nothing:read'],
  ])('from %j to %j is %j', (held, scopes, expected) => {
    expect(escalation(held, manage(...scopes))).toBe(expected)
  })

  it('is a reach beyond the own, before any scope', () => {
    const platform = { reach: 'platform', grants: [manage('keys:read')] } as const
    expect(findEscalation(caller({ scopes: ['*:*'] }), platform, MANAGEMENT)).toBe('every organization')
    expect(findEscalation(caller({ scopes: ['*:*'], isPlatformWide: true }), platform, MANAGEMENT)).toBeNull()
    expect(findEscalation(caller({ isPlatformWide: true }), platform, MANAGEMENT)).toBe('keys:read')
  })

  it('is no business right', () => {
    expect(escalation({}, use('models:*'))).toBeNull()
  })
})

describe('what a caller may not hand on', () => {
  const beyond = (held: Held, ...grants: Permission[]) =>
    findBeyond(caller(held), role(...grants), MANAGEMENT)

  it('is a management right they lack, whatever else they may', () => {
    expect(beyond({ scopes: ['organizations:write'] }, manage('users:read'))).toBe('users:read')
    expect(beyond({ scopes: ['keys:write'] }, manage('keys:write'))).toBeNull()
  })

  it('is a business right they lack, unless they may change roles and members', () => {
    const wanted = use('models:read', 'models:write')
    expect(beyond({ scopes: ['keys:write'] }, wanted)).toBe(`models:read at ${API}`)
    expect(beyond({ scopes: ['keys:write'], models: ['models:read'] }, wanted)).toBe(`models:write at ${API}`)
    expect(beyond({ scopes: ['keys:write'], models: ['models:read', 'models:write'] }, wanted)).toBeNull()
    expect(beyond({ scopes: ['keys:write'], models: ['models:*'] }, wanted)).toBeNull()
    expect(beyond({ scopes: ['organizations:write'] }, wanted)).toBeNull()
    expect(beyond({ scopes: ['organizations:*'] }, wanted)).toBeNull()
  })

  it('is a wildcard in place of all the single scopes there are today', () => {
    expect(beyond({ models: ['models:read', 'models:write'] }, use('models:*'))).toBe(`models:* at ${API}`)
    expect(beyond({ models: ['models:*'] }, use('models:*', 'models/m1:*'))).toBeNull()
  })

  it('is what another audience calls by the same scope', () => {
    const elsewhere = { ...use('models:read'), audience: 'https://other.example.com' }
    expect(beyond({ models: ['models:read'] }, elsewhere)).toBe('models:read at https://other.example.com')
  })
})

describe('what is new to an organization', () => {
  const news = (held: Held, ofItsRoles: Permission[], ...wanted: Permission[]) =>
    findNewToOrganization(caller(held), ofItsRoles, wanted, MANAGEMENT)

  it('is what neither its roles permit nor the caller holds', () => {
    expect(news({}, [], use('models:read'))).toEqual({ audience: API, scope: 'models:read' })
    expect(news({}, [use('models:read')], use('models:read'))).toBeNull()
    expect(news({ models: ['models:read'] }, [], use('models:read'))).toBeNull()
    expect(news({}, [use('models:read')], use('models:read', 'models:write'))).toEqual({
      audience: API,
      scope: 'models:write',
    })
    expect(
      news({ models: ['models:write'] }, [use('models:read')], use('models:read', 'models:write')),
    ).toBeNull()
  })

  it('is a wildcard in place of all the single scopes there are today', () => {
    const single = [use('models:read'), use('models:write')]
    expect(news({}, single, use('models:*'))).toEqual({ audience: API, scope: 'models:*' })
    expect(news({}, [use('models:*')], use('models:*', 'models/m1:read'))).toBeNull()
  })

  it('is nothing to platform-wide rights, and no management right', () => {
    expect(news({ isPlatformWide: true }, [], use('*:*'))).toBeNull()
    expect(news({}, [], manage('*:*'))).toBeNull()
  })
})

describe('a law', () => {
  const scope = fc.constantFrom(
    'keys:read',
    'keys:write',
    'users:read',
    'keys:*',
    '*:read',
    '*:*',
    'keys/k1:read',
  )
  const scopes = fc.array(scope, { maxLength: 4 })

  it('of escalations: with none, whoever gets the role can never do in management what the giver cannot', () => {
    const declared = fc.subarray(['keys:read', 'keys:write', 'keys:rotate', 'users:read', 'users:write'])
    fc.assert(
      fc.property(scopes, scopes, declared, fc.boolean(), (held, granted, later, isPlatformWide) => {
        const giver = caller({ scopes: held, isPlatformWide })
        if (findEscalation(giver, role(manage(...granted)), MANAGEMENT) !== null) return
        const effective = narrowScopes(granted, later)
        expect(effective.filter((one) => !anyCovers(narrowScopes(held, later), one))).toEqual([])
      }),
    )
  })

  it('of definitions: an organization defines again and again, and never has more than it was given', () => {
    const model = fc.constantFrom(
      'models:read',
      'models:write',
      'models:*',
      '*:*',
      'models/m1:read',
      'models/m1:*',
    )
    const models = fc.array(model, { maxLength: 3 })
    fc.assert(
      fc.property(models, fc.array(models, { maxLength: 5 }), (given, attempts) => {
        const roles = [use(...given)]
        for (const attempt of attempts)
          if (findNewToOrganization(caller(), roles, [use(...attempt)], MANAGEMENT) === null)
            roles.push(use(...attempt))
        const all = roles.flatMap((one) => one.scopes)
        expect(all.every((one) => anyCovers(given, one))).toBe(true)
      }),
    )
  })
})

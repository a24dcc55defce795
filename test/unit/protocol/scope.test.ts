import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  anyCovers,
  covers,
  isConcreteScope,
  isGrantableScope,
  narrowScopes,
  narrowShared,
  parseScopeParameter,
} from '../../../src/protocol/scope.ts'
import { CONCRETE_SCOPES } from './scope-fixture.ts'

describe('covers', () => {
  it.each([
    ['models:read', 'models/m1:read'],
    ['models:*', 'models:read'],
    ['models:*', 'models/m1:read'],
    ['models/m1:*', 'models/m1:read'],
    ['*:read', 'models:read'],
    ['*:read', 'models/m1:read'],
    ['*:*', 'models:*'],
    ['a-z_0.9:x-y_z.0', 'a-z_0.9/A-z_0.9~:x-y_z.0'],
  ])('holds from %s to %s', (held, wanted) => {
    expect(covers(held, wanted)).toBe(true)
    expect(covers(wanted, held)).toBe(false)
  })

  it.each([
    ['models:read', 'models:write'],
    ['models:read', 'datasets:read'],
    ['models:read', 'models:reads'],
    ['models/m1:read', 'models/m2:read'],
    ['models/m1:read', 'models/M1:read'],
    ['models/m1:*', 'models:read'],
    ['models:*', '*:read'],
    ['models:read', 'models/m1'],
    ['models:read', 'Models:read'],
    ['*:*', 'openid'],
    ['*:*', 'Models:read'],
    ['openid', 'openid:read'],
    ['open', 'openid'],
    ['models', 'models:read'],
    // `*` is a whole part of the grammar, never a piece of one.
    ['mod*:read', 'models:read'],
    ['models:re*', 'models:read'],
    ['models/*:read', 'models/m1:read'],
    ['*/m1:read', 'models/m1:read'],
    ['*', 'models:read'],
  ])('does not hold from %s to %s', (held, wanted) => {
    expect(covers(held, wanted)).toBe(false)
  })

  it('lets an opaque scope cover only itself', () => {
    const opaque = fc.stringMatching(/^[A-Za-z/]{1,12}$/)
    fc.assert(
      fc.property(opaque, fc.oneof(opaque, fc.constantFrom(...CONCRETE_SCOPES)), (held, wanted) => {
        expect(covers(held, wanted)).toBe(held === wanted)
        expect(covers(held, held)).toBe(true)
      }),
    )
  })

  it('does not read a line break as the end of a scope', () => {
    expect(covers('models:*', 'models:read\n')).toBe(false)
  })
})

describe('anyCovers', () => {
  it('is satisfied by one scope of several, and by none of an empty set', () => {
    expect(anyCovers(['datasets:read', 'models:*'], 'models/m1:read')).toBe(true)
    expect(anyCovers(['datasets:read', 'models:write'], 'models/m1:read')).toBe(false)
    expect(anyCovers([], 'models:read')).toBe(false)
  })

  it('does not add scopes up: two entities are not the type', () => {
    expect(anyCovers(['models/m1:read', 'models/m2:read'], 'models:read')).toBe(false)
  })
})

describe('narrowScopes', () => {
  it.each([
    { a: ['models:read'], b: ['models/m1:read'], narrowed: ['models/m1:read'] },
    { a: ['models:*'], b: ['*:read'], narrowed: ['models:read'] },
    { a: ['models/m1:*'], b: ['models:read'], narrowed: ['models/m1:read'] },
    { a: ['*:*'], b: ['models/m1:*', 'openid'], narrowed: ['models/m1:*'] },
    { a: ['openid', 'models:read'], b: ['openid', 'datasets:read'], narrowed: ['openid'] },
    { a: ['models:read', 'models/m1:read'], b: ['models:*'], narrowed: ['models:read'] },
    { a: ['models:read'], b: ['models:write'], narrowed: [] },
    { a: ['b:x', 'a:x', 'a/E:x'], b: ['*:*'], narrowed: ['a:x', 'b:x'] },
  ])('of $a and $b is $narrowed', ({ a, b, narrowed }) => {
    expect(narrowScopes(a, b)).toEqual(narrowed)
  })

  it('leaves its arguments as they were', () => {
    const a = Object.freeze(['models:write', 'models:read'])
    const b = Object.freeze(['*:*', 'models:read'])
    expect(narrowScopes(a, b)).toEqual(['models:read', 'models:write'])
  })
})

describe('isConcreteScope', () => {
  it.each(['models:read', 'models/m1:read', 'openid', 'https://api.example.com/auth', '!', '~', 'a:b:c'])(
    'accepts %s',
    (scope) => {
      expect(isConcreteScope(scope)).toBe(true)
    },
  )

  it.each([
    '',
    ' ',
    'a b',
    '*',
    'models:*',
    '*:read',
    'a*b',
    'say"so',
    'back\\slash',
    'tab\t',
    'é',
    'nul\0',
    'a\n',
  ])('refuses %j', (scope) => {
    expect(isConcreteScope(scope)).toBe(false)
  })
})

describe('isGrantableScope', () => {
  it.each(['models:read', 'models:*', 'models/m1:*', '*:read', '*:*', 'openid'])('accepts %s', (scope) => {
    expect(isGrantableScope(scope)).toBe(true)
  })

  it.each([
    '*',
    '**',
    '*/m1:read',
    'models/*:read',
    'models/*:*',
    'mod*:read',
    'models:re*',
    '*:',
    ':*',
    'Models:*',
    '',
  ])('refuses %j', (scope) => {
    expect(isGrantableScope(scope)).toBe(false)
  })
})

describe('parseScopeParameter', () => {
  it('splits at single spaces, in the order given', () => {
    expect(parseScopeParameter('models:write models:read')).toEqual(['models:write', 'models:read'])
    expect(parseScopeParameter('openid')).toEqual(['openid'])
  })

  it('names a scope that is repeated once', () => {
    expect(parseScopeParameter('b:x a:x b:x')).toEqual(['b:x', 'a:x'])
  })

  it.each([
    '',
    ' ',
    ' a:x',
    'a:x ',
    'a:x  b:x',
    'a:x\tb:x',
    'a:x\nb:x',
    'a:x,"b"',
    'models:*',
    'a:x *:read',
    'ü:x',
  ])('refuses %j', (value) => {
    expect(parseScopeParameter(value)).toBeUndefined()
  })

  it('reads back every list of concrete scopes', () => {
    const list = fc.uniqueArray(fc.constantFrom(...CONCRETE_SCOPES), { minLength: 1 })
    fc.assert(
      fc.property(list, (scopes) => {
        expect(parseScopeParameter(scopes.join(' '))).toEqual(scopes)
      }),
    )
  })

  it('gives nothing but concrete scopes, whatever it is fed', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const scopes = parseScopeParameter(value) ?? []
        expect(scopes.filter((scope) => !isConcreteScope(scope))).toEqual([])
      }),
    )
  })
})

describe('narrowShared', () => {
  const scopes = fc.array(fc.constantFrom(...CONCRETE_SCOPES))

  it('gives what narrowScopes gives, of the same arrays the same array', () => {
    fc.assert(
      fc.property(scopes, scopes, scopes, (a, b, c) => {
        const narrowed = narrowShared(a, b)
        expect(narrowed).toEqual(narrowScopes(a, b))
        expect(narrowShared(a, c)).toEqual(narrowScopes(a, c))
        expect(narrowShared(a, b)).toBe(narrowed)
      }),
    )
  })
})

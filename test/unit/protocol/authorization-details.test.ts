import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type AuthorizationDetail,
  parseAuthorizationDetails,
  scopesOf,
} from '../../../src/protocol/authorization-details.ts'
import { fail, ok } from '../../../src/protocol/result.ts'
import { isConcreteScope } from '../../../src/protocol/scope.ts'

const parse = (value: unknown) => parseAuthorizationDetails(JSON.stringify(value))
const READ = { type: 'models', actions: ['read'] }

describe('authorization details', () => {
  it.each<readonly [string, AuthorizationDetail[], string[]]>([
    ['every entity of a type', [READ], ['models:read']],
    ['one entity', [{ ...READ, identifier: 'm1' }], ['models/m1:read']],
    ['several actions', [{ type: 'models', actions: ['read', 'write'] }], ['models:read', 'models:write']],
    ['several details', [READ, { type: 'a.b-c_1', actions: ['x'] }], ['models:read', 'a.b-c_1:x']],
    ['the same twice', [READ, READ], ['models:read']],
    ['locations', [{ ...READ, locations: ['https://api.example.com'] }], ['models:read']],
  ])('say as JSON what scopes say: %s', (_, details, scopes) => {
    expect(parse(details)).toEqual(ok(details))
    expect(scopesOf(details)).toEqual(scopes)
  })

  it.each([
    ['no JSON', '[{"type":"models","actions":["read"]'],
    ['no array', JSON.stringify(READ)],
    ['an empty array', '[]'],
    ['null', 'null'],
    ['an array of null', '[null]'],
    ['an array of arrays', '[[]]'],
  ])('are refused when they are %s', (_, text) => {
    expect(parseAuthorizationDetails(text)).toEqual(fail(null))
  })

  it.each([
    ['no type', { actions: ['read'] }],
    ['an empty type', { ...READ, type: '' }],
    ['a type that is no word', { ...READ, type: 'models/m1' }],
    ['a wildcard as type', { ...READ, type: '*' }],
    ['no actions', { type: 'models' }],
    ['an empty list of actions', { ...READ, actions: [] }],
    ['one action that is no list', { ...READ, actions: 'read' }],
    ['a wildcard as action', { ...READ, actions: ['*'] }],
    ['an action that is no text', { ...READ, actions: [1] }],
    ['an identifier that is no word', { ...READ, identifier: 'm 1' }],
    ['an empty identifier', { ...READ, identifier: '' }],
    ['null as identifier', { ...READ, identifier: null }],
    ['an empty list of locations', { ...READ, locations: [] }],
    ['a location that is no text', { ...READ, locations: [{}] }],
    ['a member of RFC 9396 we do not know', { ...READ, datatypes: ['metadata'] }],
    ['a member nobody knows', { ...READ, colour: 'red' }],
  ])('are refused when one has %s', (_, detail) => {
    expect(parse([READ, detail])).toEqual(fail(null))
  })

  it('are refused beyond 50, or 50 actions, or 20 locations, and not at them', () => {
    const list = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one)
    expect(parse(list(50, READ)).ok).toBe(true)
    expect(parse(list(51, READ)).ok).toBe(false)
    expect(parse([{ ...READ, actions: list(50, 'x') }]).ok).toBe(true)
    expect(parse([{ ...READ, actions: list(51, 'x') }]).ok).toBe(false)
    expect(parse([{ ...READ, locations: list(20, 'x') }]).ok).toBe(true)
    expect(parse([{ ...READ, locations: list(21, 'x') }]).ok).toBe(false)
  })

  it('never say what a scope cannot', () => {
    const word = fc.string({ unit: 'binary', maxLength: 5 })
    const detail = fc.record(
      { type: word, identifier: word, actions: fc.array(word, { maxLength: 3 }) },
      { requiredKeys: ['type', 'actions'] },
    )
    fc.assert(
      fc.property(fc.array(detail, { maxLength: 3 }), (details) => {
        const parsed = parse(details)
        if (parsed.ok) expect(scopesOf(parsed.value).every(isConcreteScope)).toBe(true)
      }),
    )
  })
})

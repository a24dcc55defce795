import { describe, expect, it } from 'vitest'
import { parseExchangeRequest, type TokenParameters } from '../../../../src/server/exchange/request.ts'
import { buildParameters } from './exchange-fixture.ts'

const A = 'https://a.example.com'
const B = 'https://b.example.com'

function audiencesOf(parameters: TokenParameters): readonly string[] | object {
  const request = parseExchangeRequest(buildParameters(parameters), [])
  return request.ok ? request.value.audiences : request.error
}
const malformed = (parameter: string) => ({ reason: 'parameter_malformed', parameter })
const names = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `urn:example:${index + from}`)

describe('audience and resource', () => {
  it('may each be absent, single or repeated', () => {
    expect(audiencesOf({})).toEqual([])
    expect(audiencesOf({ audience: A })).toEqual([A])
    expect(audiencesOf({ resource: A })).toEqual([A])
    expect(audiencesOf({ audience: [A, B] })).toEqual([A, B])
    expect(audiencesOf({ resource: [A, B] })).toEqual([A, B])
  })

  it('name the same things, each once', () => {
    expect(audiencesOf({ audience: [A, A], resource: [B, A] })).toEqual([A, B])
  })

  it('are taken as exact strings', () => {
    const spellings = [A, `${A}/`, 'https://A.example.com', `${A}:443`, `${A}/%7e`, `${A}?q`]
    expect(audiencesOf({ resource: spellings })).toEqual(spellings)
  })

  it('count an empty one among several as none', () => {
    expect(audiencesOf({ audience: ['', A], resource: ['', ''] })).toEqual([A])
  })

  it('may together be 20, and not 21', () => {
    expect(audiencesOf({ audience: names(20) })).toEqual(names(20))
    expect(audiencesOf({ audience: names(10), resource: names(10, 10) })).toEqual(names(20))
    expect(audiencesOf({ audience: names(21) })).toEqual(malformed('audience'))
    expect(audiencesOf({ audience: names(10), resource: names(11, 10) })).toEqual(malformed('audience'))
  })

  it('are counted before repetitions are taken out', () => {
    expect(audiencesOf({ audience: Array(20).fill(A) })).toEqual([A])
    expect(audiencesOf({ audience: Array(21).fill(A) })).toEqual(malformed('audience'))
  })
})

describe('an audience', () => {
  it.each(['orders', 'not a URI', '#', A])('may be any string: %s', (audience) => {
    expect(audiencesOf({ audience })).toEqual([audience])
  })
})

describe('a resource', () => {
  it.each([
    'https://a.example.com/v1?x=1',
    'http://localhost:8080',
    'urn:example:api',
    'mailto:x@example.com',
    'x+y-z.1:q',
  ])('may be the absolute URI %s', (resource) => {
    expect(audiencesOf({ resource })).toEqual([resource])
  })

  it.each([
    ['a relative reference', '/v1/models'],
    ['a network-path reference', '//a.example.com'],
    ['a name', 'a.example.com'],
    ['a scheme alone', 'https:'],
    ['a scheme without a host', 'https://'],
    ['a scheme that begins with a digit', '1https://a.example.com'],
    ['a blank inside', 'https://a.example.com/a b'],
    ['a blank before', ' https://a.example.com'],
    ['a line break after', 'https://a.example.com\n'],
    ['a fragment', 'https://a.example.com#part'],
    ['an empty fragment', 'https://a.example.com#'],
    ['a port that is none', 'https://a.example.com:99999'],
  ])('may not be %s', (_, resource) => {
    expect(audiencesOf({ resource })).toEqual({ reason: 'resource_malformed' })
    expect(audiencesOf({ resource: [A, resource] })).toEqual({ reason: 'resource_malformed' })
  })
})

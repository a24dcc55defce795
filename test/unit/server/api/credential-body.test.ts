import { describe, expect, it } from 'vitest'
import { patBody, readLifetime } from '../../../../src/server/api/credential-body.ts'
import { Problem } from '../../../../src/server/http/problem.ts'
import { PAT } from '../../protocol/credential-fixture.ts'

const API = 'https://api.example.com'
const NOW = new Date('2026-03-01T12:00:00.000Z')

const accepts = (members: object): boolean => patBody.safeParse({ name: 'laptop', ...members }).success
/** Where the problems of a body lie. */
const problemsOf = (body: object): string[] =>
  patBody.safeParse(body).error?.issues.map(({ path }) => path.join('.')) ?? []

describe('the name of a credential', () => {
  it('has 1 to 100 characters, as people count them, and is kept as written', () => {
    expect(patBody.parse({ name: 'a  b' }).name).toBe('a  b')
    expect(accepts({ name: 'x' })).toBe(true)
    expect(accepts({ name: '🔑'.repeat(100) })).toBe(true)
    expect(accepts({ name: '🔑'.repeat(101) })).toBe(false)
    expect(accepts({ name: 'x'.repeat(100) })).toBe(true)
    expect(accepts({ name: 'x'.repeat(101) })).toBe(false)
    expect(accepts({ name: '' })).toBe(false)
    expect(accepts({ name: '   ' })).toBe(false)
  })

  it('is required, and text', () => {
    expect(problemsOf({})).toEqual(['name'])
    expect(problemsOf({ name: 7 })).toEqual(['name'])
    expect(problemsOf({ name: null })).toEqual(['name'])
  })

  it.each(['a\0b', 'a\nb', 'a\u001bb', 'a\u0085b'])('holds no control character: %j', (name) => {
    expect(accepts({ name })).toBe(false)
  })

  it.each(['a\u202eb', 'a\u2066b', 'a\u2028b', 'a\ud800b', ' a', 'a ', '\u2060'])(
    'never shows as what it is not: %j',
    (name) => {
      expect(accepts({ name })).toBe(false)
    },
  )

  it('holds no credential that someone pasted', () => {
    expect(problemsOf({ name: `laptop ${PAT}` })).toEqual(['name'])
    expect(accepts({ name: 'laptop pat_012345' })).toBe(true)
  })

  it('may be in any script', () => {
    expect(accepts({ name: 'Büro-Rechner 机 🔑' })).toBe(true)
  })
})

describe('the lifetime of a credential', () => {
  const CENTURY = 100 * 365 * 86_400

  it('is whole seconds, from 1 to a hundred years', () => {
    expect(accepts({ expires_in_seconds: 1 })).toBe(true)
    expect(accepts({ expires_in_seconds: CENTURY })).toBe(true)
    for (const seconds of [0, -1, 1.5, CENTURY + 1, '60', null])
      expect(accepts({ expires_in_seconds: seconds })).toBe(false)
  })

  it('is an instant of RFC 3339 with its offset', () => {
    expect(accepts({ expires_at: '2026-03-02T00:00:00Z' })).toBe(true)
    expect(accepts({ expires_at: '2026-03-02T00:00:00.5+05:30' })).toBe(true)
    for (const text of [
      '2026-03-02',
      '2026-03-02T00:00:00',
      '2026-02-30T00:00:00Z',
      'tomorrow',
      '1772366400',
      '',
    ])
      expect(accepts({ expires_at: text })).toBe(false)
  })

  it('is for ever only when that is said', () => {
    expect(accepts({ never_expires: true })).toBe(true)
    for (const value of [false, null, 'true', 1]) expect(accepts({ never_expires: value })).toBe(false)
  })

  it('is said in one way at most', () => {
    const ways = { expires_in_seconds: 60, expires_at: '2026-03-02T00:00:00Z', never_expires: true }
    const { expires_in_seconds, expires_at, never_expires } = ways
    expect(problemsOf({ name: 'laptop', expires_in_seconds, expires_at })).toEqual([''])
    expect(problemsOf({ name: 'laptop', expires_in_seconds, never_expires })).toEqual([''])
    expect(problemsOf({ name: 'laptop', expires_at, never_expires })).toEqual([''])
    expect(problemsOf({ name: 'laptop', ...ways })).toEqual([''])
  })
})

describe('readLifetime', () => {
  const read = (members: object) => readLifetime(patBody.parse({ name: 'laptop', ...members }), NOW)

  it('is the default of the policy when the body does not say', () => {
    expect(read({})).toEqual({ kind: 'default' })
  })

  it('is for ever, or until an instant', () => {
    expect(read({ never_expires: true })).toEqual({ kind: 'never' })
    expect(read({ expires_in_seconds: 60 })).toEqual({
      kind: 'until',
      at: new Date('2026-03-01T12:01:00.000Z'),
    })
    expect(read({ expires_at: '2026-03-02T01:00:00+01:00' })).toEqual({
      kind: 'until',
      at: new Date('2026-03-02T00:00:00.000Z'),
    })
  })

  it('is refused for an instant that has passed, to the millisecond', () => {
    expect(read({ expires_at: '2026-03-01T12:00:00.001Z' })).toEqual({
      kind: 'until',
      at: new Date('2026-03-01T12:00:00.001Z'),
    })
    for (const expires_at of [
      '2026-03-01T12:00:00.000Z',
      '2026-03-01T11:59:59.999Z',
      '2026-03-01T12:30:00+01:00',
    ])
      expect(() => read({ expires_at })).toThrow(Problem)
  })
})

describe('the permissions of a credential', () => {
  const permit = (...scopes: unknown[]) => accepts({ permissions: [{ audience: API, scopes }] })

  it('are scopes and wildcards at audiences', () => {
    expect(permit('models:read', 'models/m1:*', '*:*', 'openid')).toBe(true)
    for (const scope of ['', '*', 'mod*:read', 'a b', '*/m1:read', 'x'.repeat(201), 7])
      expect(permit(scope)).toBe(false)
  })

  it('may be null or absent, and are never empty', () => {
    expect(accepts({ permissions: null })).toBe(true)
    expect(accepts({})).toBe(true)
    expect(accepts({ permissions: [] })).toBe(false)
    expect(permit()).toBe(false)
  })

  it('have an audience, each once, and nothing else', () => {
    const scopes = ['models:read']
    expect(accepts({ permissions: [{ scopes }] })).toBe(false)
    expect(accepts({ permissions: [{ audience: '', scopes }] })).toBe(false)
    expect(accepts({ permissions: [{ audience: API, scopes, effect: 'deny' }] })).toBe(false)
    expect(
      accepts({
        permissions: [
          { audience: API, scopes },
          { audience: `${API}/`, scopes },
        ],
      }),
    ).toBe(true)
    expect(
      accepts({
        permissions: [
          { audience: API, scopes },
          { audience: API, scopes },
        ],
      }),
    ).toBe(false)
  })

  it('are at most 50 audiences of 100 scopes', () => {
    const at = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        audience: `urn:example:${index}`,
        scopes: ['models:read'],
      }))
    expect([accepts({ permissions: at(50) }), accepts({ permissions: at(51) })]).toEqual([true, false])
    expect([permit(...Array(100).fill('a:b')), permit(...Array(101).fill('a:b'))]).toEqual([true, false])
  })
})

describe('the addresses of a credential', () => {
  it.each([
    '10.0.0.0/8',
    '0.0.0.0/0',
    '203.0.113.7/32',
    '192.168.4.0/22',
    '::/0',
    '2001:db8::/32',
    '::1/128',
  ])('may be %s', (cidr) => {
    expect(accepts({ allowed_cidrs: [cidr] })).toBe(true)
  })

  it.each([
    '10.0.0.1/8',
    '192.168.5.0/22',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/8/8',
    '10.0.0/8',
    '010.0.0.0/8',
    '256.0.0.0/8',
    '::/129',
    'localhost/8',
    '/8',
    '',
  ])('may not be %j', (cidr) => {
    expect(accepts({ allowed_cidrs: ['10.0.0.0/8', cidr] })).toBe(false)
  })

  it('may be null or absent for any address, and are never none', () => {
    expect(accepts({ allowed_cidrs: null })).toBe(true)
    expect(accepts({ allowed_cidrs: [] })).toBe(false)
    expect(accepts({ allowed_cidrs: Array(50).fill('10.0.0.0/8') })).toBe(true)
    expect(accepts({ allowed_cidrs: Array(51).fill('10.0.0.0/8') })).toBe(false)
  })
})

describe('a body', () => {
  it('holds nothing the API does not know', () => {
    expect(problemsOf({ name: 'laptop', owner: 'someone else' })).toEqual([''])
  })
})

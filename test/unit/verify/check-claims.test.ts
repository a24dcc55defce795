import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkClaims, type ExpectedClaims } from '../../../src/verify/check-claims.ts'
import { VerifyError } from '../../../src/verify/verify-error.ts'
import { AUDIENCE, CLAIMS, ISSUER, NOW, NOW_SECONDS } from './issuer-fixture.ts'

const EXPECTED: ExpectedClaims = { issuer: ISSUER, audiences: [AUDIENCE], clockToleranceSeconds: 5 }

const check = (payload: object | string, expected: Partial<ExpectedClaims> = {}, now = NOW) =>
  checkClaims(
    new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload)),
    { ...EXPECTED, ...expected },
    now,
  )

function refusalOf(payload: object | string, expected: Partial<ExpectedClaims> = {}, now = NOW) {
  try {
    check(payload, expected, now)
  } catch (error) {
    if (error instanceof VerifyError) return { code: error.code, message: error.message }
    throw error
  }
  return undefined
}

const atSecond = (second: number) => new Date(second * 1000)
const EXPIRED = { code: 'token_expired', message: 'The token has expired' }
const NOT_YET = { code: 'token_not_yet_valid', message: 'The token is not valid yet' }

describe('exp', () => {
  it('is refused from its second on, and accepted one second before, without tolerance', () => {
    const strict = { clockToleranceSeconds: 0 }
    expect(refusalOf(CLAIMS, strict, atSecond(CLAIMS.exp - 1))).toBeUndefined()
    expect(refusalOf(CLAIMS, strict, atSecond(CLAIMS.exp))).toEqual(EXPIRED)
  })

  it('is stretched by the tolerance and not a second more', () => {
    expect(refusalOf(CLAIMS, {}, atSecond(CLAIMS.exp + 4))).toBeUndefined()
    expect(refusalOf(CLAIMS, {}, new Date(CLAIMS.exp * 1000 + 4999))).toBeUndefined()
    expect(refusalOf(CLAIMS, {}, atSecond(CLAIMS.exp + 5))).toEqual(EXPIRED)
  })

  it('accepts exactly the instants before exp plus tolerance', () => {
    fc.assert(
      fc.property(fc.integer({ min: -100, max: 100 }), fc.nat(60), (leftSeconds, clockToleranceSeconds) => {
        const refusal = refusalOf({ ...CLAIMS, exp: NOW_SECONDS + leftSeconds }, { clockToleranceSeconds })
        expect(refusal === undefined).toBe(leftSeconds + clockToleranceSeconds > 0)
      }),
    )
  })

  it('refuses everything under a clock that does not know the time', () => {
    expect(refusalOf(CLAIMS, {}, new Date(Number.NaN))).toEqual(EXPIRED)
  })
})

describe('nbf', () => {
  it('is refused one second before the tolerance begins, and accepted from there', () => {
    const claims = { ...CLAIMS, nbf: NOW_SECONDS }
    expect(refusalOf(claims, {}, atSecond(NOW_SECONDS - 6))).toEqual(NOT_YET)
    expect(refusalOf(claims, {}, atSecond(NOW_SECONDS - 5))).toBeUndefined()
  })

  it('needs no tolerance at its own second', () => {
    const strict = { clockToleranceSeconds: 0 }
    const claims = { ...CLAIMS, nbf: NOW_SECONDS }
    expect(refusalOf(claims, strict, atSecond(NOW_SECONDS - 1))).toEqual(NOT_YET)
    expect(refusalOf(claims, strict, atSecond(NOW_SECONDS))).toBeUndefined()
  })
})

describe('aud', () => {
  it('accepts a token for two audiences when one of them is this service', () => {
    expect(refusalOf({ ...CLAIMS, aud: ['https://other.example.com', AUDIENCE] })).toBeUndefined()
  })

  it('accepts any of the several audiences this service answers for', () => {
    const audiences = ['https://old.example.com', AUDIENCE]
    expect(refusalOf({ ...CLAIMS, aud: 'https://old.example.com' }, { audiences })).toBeUndefined()
    expect(refusalOf(CLAIMS, { audiences })).toBeUndefined()
  })

  it('refuses audiences that only look alike', () => {
    for (const aud of [`${AUDIENCE}/`, AUDIENCE.toUpperCase(), [`${AUDIENCE}/v1`], AUDIENCE.slice(0, -1)]) {
      expect(refusalOf({ ...CLAIMS, aud })).toEqual({
        code: 'audience_mismatch',
        message: 'The token is for another audience',
      })
    }
  })

  it('is still required when the check is switched off', () => {
    const { aud: _, ...claims } = CLAIMS
    expect(refusalOf(claims, { audiences: null })?.code).toBe('claim_missing')
  })
})

describe('the shape of the claims', () => {
  it.each(['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'org', 'cred'])('requires %s', (name) => {
    const claims = Object.fromEntries(Object.entries(CLAIMS).filter(([key]) => key !== name))
    expect(refusalOf(claims)).toEqual({ code: 'claim_missing', message: `The token has no ${name} claim` })
  })

  it.each([
    ['iss', 7],
    ['sub', ''],
    ['sub', null],
    ['aud', []],
    ['aud', [AUDIENCE, 7]],
    ['aud', ''],
    ['aud', { 0: AUDIENCE }],
    ['exp', `${CLAIMS.exp}`],
    ['exp', null],
    ['iat', 'now'],
    ['jti', 1],
    ['client_id', ['patmint-cli']],
    ['org', {}],
    ['cred', false],
    ['scope', ['models:read']],
    ['status', null],
    ['status', { status_list: { idx: -1, uri: 'https://sts.example.com/oauth2/status-lists/0' } }],
    ['status', { status_list: { idx: 7 } }],
    ['nbf', '0'],
  ])('refuses %s of %j', (name, value) => {
    expect(refusalOf({ ...CLAIMS, [name]: value })).toEqual({
      code: 'claim_invalid',
      message: `The ${name} claim of the token is not valid`,
    })
  })

  it('refuses an exp so large that it would never come', () => {
    const payload = JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999')
    expect(refusalOf(payload)?.code).toBe('claim_invalid')
  })

  it('accepts a token without a scope', () => {
    const { scope: _, ...claims } = CLAIMS
    expect(check(claims)).toEqual(claims)
  })

  it.each(['', 'null', '[]', '"text"', '7', '{', '{"sub":"jane"} trailing'])(
    'refuses the payload %j',
    (payload) => {
      expect(refusalOf(payload)).toEqual({
        code: 'token_malformed',
        message: 'The claims of the token are not a JSON object',
      })
    },
  )

  it('refuses a payload that is not UTF-8', () => {
    const payload = Buffer.from(JSON.stringify({ ...CLAIMS, org: 'acmé' }), 'latin1')
    expect(() => checkClaims(payload, EXPECTED, NOW)).toThrow('The claims of the token are not a JSON object')
  })

  it('does not take a claim from the prototype of the object', () => {
    const { sub: _, ...claims } = CLAIMS
    const payload = JSON.stringify(claims).replace('{', '{"__proto__":{"sub":"admin"},')
    expect(refusalOf(payload)?.code).toBe('claim_missing')
  })
})

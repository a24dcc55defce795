import { describe, expect, it } from 'vitest'
import { createVerifier, type VerifierOptions } from '../../../src/verify/index.ts'
import { resolveOptions } from '../../../src/verify/options.ts'
import { AUDIENCE, ISSUER } from './issuer-fixture.ts'

// What a caller without types may pass.
const createFrom = (options: unknown) => () => createVerifier(options as VerifierOptions)

describe('options of createVerifier', () => {
  it('are listed with every problem at once', () => {
    const options = {
      audience: '',
      jwksUri: 'ftp://keys.example.com',
      jwksMaxStaleSeconds: -1,
      clockToleranceSeconds: '5',
      rememberedTokens: 0.5,
      timeoutSeconds: 6,
      statusList: { url: '', maxStaleSeconds: 86_401 },
      dpop: { proofSeconds: 0, rememberedProofs: 0, noteOnce: true },
      allowInsecureHttp: 'yes',
      persist: 'file',
      fetch: {},
      now: 0,
    }
    expect(createFrom(options)).toThrow(
      new TypeError(
        'createVerifier: issuer must be a non-empty string; audience must be a non-empty string, a list of them, ' +
          'or null; jwksUri must be an absolute http(s) URL; jwksMaxStaleSeconds must be a number from 0 to 604800; ' +
          'clockToleranceSeconds must be a number from 0 to 60; rememberedTokens must be a whole number from ' +
          '0 to 1000000; timeoutSeconds must be a number from 0.1 to 5; statusList.url must be a non-empty string; ' +
          'statusList.maxStaleSeconds must be a number from 0 to 86400; dpop.proofSeconds must be a number from 1 to ' +
          '300; dpop.rememberedProofs must be a whole number from 1 to 1000000; dpop.noteOnce must be a function; ' +
          'allowInsecureHttp must be a boolean; persist must be a function; fetch must be a function; now must be a function',
      ),
    )
  })

  it('are refused when nobody reads them, for they may be misspelt', () => {
    const options = {
      issuer: ISSUER,
      audience: AUDIENCE,
      dpopp: null,
      maxStaleSeconds: 5,
      statusList: { max_stale_seconds: 3 },
      dpop: { noteonce: () => true },
    }
    expect(createFrom(options)).toThrow(
      new TypeError(
        'createVerifier: dpopp is no option; maxStaleSeconds is no option; statusList.max_stale_seconds is no ' +
          'option; dpop.noteonce is no option',
      ),
    )
  })

  it.each(['rememberedTokens', 'rememberedProofs'])('bound %s', (name) => {
    const createWith = (count: number) =>
      name === 'rememberedTokens'
        ? createFrom({ issuer: ISSUER, audience: AUDIENCE, rememberedTokens: count })
        : createFrom({ issuer: ISSUER, audience: AUDIENCE, dpop: { rememberedProofs: count } })
    expect(createWith(1_000_000)).not.toThrow()
    expect(createWith(1_000_001)).toThrow(/must be a whole number from [01] to 1000000$/)
  })

  it.each(['?a', '#', '#a'])('refuse a place of lists that ends with %s', (end) => {
    const statusList = { url: `${ISSUER}/lists${end}` }
    expect(createFrom({ issuer: ISSUER, audience: AUDIENCE, statusList })).toThrow(
      new TypeError('createVerifier: statusList.url must have no query and no fragment'),
    )
  })

  it.each([undefined, null, [], 'https://patmint.example.com'])('refuse %j in their place', (options) => {
    expect(createFrom(options)).toThrow(new TypeError('createVerifier: options must be an object'))
  })

  it.each([undefined, '', [], [''], [AUDIENCE, 7], 7, {}])('refuse audience %j', (audience) => {
    expect(createFrom({ issuer: ISSUER, audience })).toThrow(
      new TypeError('createVerifier: audience must be a non-empty string, a list of them, or null'),
    )
  })

  it.each([[AUDIENCE], [[AUDIENCE, 'https://old.example.com']], [null]])('take audience %j', (audience) => {
    expect(createFrom({ issuer: ISSUER, audience })).not.toThrow()
  })

  it.each([0, 60])('take a tolerance of %d seconds', (clockToleranceSeconds) => {
    expect(createFrom({ issuer: ISSUER, audience: AUDIENCE, clockToleranceSeconds })).not.toThrow()
  })

  it.each([-1, 61, Number.NaN, Number.POSITIVE_INFINITY, null])(
    'refuse a tolerance of %j',
    (clockToleranceSeconds) => {
      expect(createFrom({ issuer: ISSUER, audience: AUDIENCE, clockToleranceSeconds })).toThrow(
        new TypeError('createVerifier: clockToleranceSeconds must be a number from 0 to 60'),
      )
    },
  )

  it('refuse plain http beyond this machine, for the issuer and its keys', () => {
    const options = {
      issuer: 'http://patmint.internal',
      audience: AUDIENCE,
      jwksUri: 'http://keys.internal/jwks',
    }
    expect(createFrom(options)).toThrow(
      new TypeError(
        'createVerifier: issuer must use https (plain http is for loopback hosts only); ' +
          'jwksUri must use https (plain http is for loopback hosts only)',
      ),
    )
    expect(createFrom({ ...options, allowInsecureHttp: true })).not.toThrow()
  })

  it('default to the keys the contract names, 5 seconds, the clock and fetch', () => {
    const settings = resolveOptions({ issuer: ISSUER, audience: AUDIENCE })
    expect(settings).toEqual({
      issuer: ISSUER,
      audiences: [AUDIENCE],
      statusList: {
        identifier: 'https://patmint.example.com/oauth2/status-lists',
        url: 'https://patmint.example.com/oauth2/status-lists',
        maxStaleSeconds: 600,
      },
      dpop: { proofSeconds: 60, rememberedProofs: 100_000, noteOnce: undefined },
      jwksUri: 'https://patmint.example.com/.well-known/jwks.json',
      jwksMaxStaleSeconds: 86_400,
      clockToleranceSeconds: 5,
      rememberedTokens: 10_000,
      timeoutMs: 5_000,
      persist: undefined,
      fetch: expect.any(Function),
      now: expect.any(Function),
    })
    expect(Math.abs(settings.now().getTime() - Date.now())).toBeLessThan(1000)
  })

  it.each(['statusList', 'dpop'])('switch %s off by null alone', (name) => {
    expect(resolveOptions({ issuer: ISSUER, audience: AUDIENCE, [name]: null })).toMatchObject({
      [name]: null,
    })
    for (const value of [false, 0, '', 'off', []])
      expect(createFrom({ issuer: ISSUER, audience: AUDIENCE, [name]: value })).toThrow(
        new TypeError(`createVerifier: ${name} must be an object or null`),
      )
  })

  it('say where lists are fetched, not what tokens call them', () => {
    const statusList = { url: 'http://localhost:8693/oauth2/status-lists/' }
    expect(resolveOptions({ issuer: ISSUER, audience: AUDIENCE, statusList }).statusList).toEqual({
      identifier: 'https://patmint.example.com/oauth2/status-lists',
      url: 'http://localhost:8693/oauth2/status-lists',
      maxStaleSeconds: 600,
    })
  })

  it('do not change when the caller changes the list of audiences afterwards', () => {
    const audience = [AUDIENCE]
    const settings = resolveOptions({ issuer: ISSUER, audience })
    audience.push('https://other.example.com')
    expect(settings.audiences).toEqual([AUDIENCE])
  })
})

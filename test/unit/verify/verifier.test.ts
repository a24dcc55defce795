import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { exportSPKI, importJWK } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SIGNING_ALGORITHMS } from '../../../src/protocol/access-token.ts'
import type { VerifierFetch } from '../../../src/verify/fetch-document.ts'
import { createVerifier, requireScope, VerifyError } from '../../../src/verify/index.ts'
import type { VerifierOptions } from '../../../src/verify/options.ts'
import {
  AUDIENCE,
  assembleToken,
  CLAIMS,
  catchRefusal,
  createSigningKey,
  ISSUER,
  NOW,
  NOW_SECONDS,
  openVerifier,
  serveIssuer,
  signingKey,
  signToken,
  stubFetch,
} from './issuer-fixture.ts'

function verifierWith(options: Partial<VerifierOptions> = {}) {
  return createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    fetch: stubFetch(),
    now: () => NOW,
    ...options,
  })
}

async function refusalOf(token: string, options: Partial<VerifierOptions> = {}) {
  return catchRefusal(() => verifierWith(options).verify(token), token)
}

const DPOP = 'DPoP algs="ES256 EdDSA Ed25519 RS256 PS256"'

const answerOf = ({ code, status, wwwAuthenticate }: VerifyError) => [code, status, wwwAuthenticate]

describe('an access token of the issuer', () => {
  it.each(SIGNING_ALGORITHMS)('is accepted when signed with %s', async (alg) => {
    const token = await signToken(CLAIMS, {}, signingKey(alg))
    expect(await verifierWith().verify(token)).toEqual(CLAIMS)
  })

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT'])(
    'is accepted as typ %s',
    async (typ) => {
      expect(await verifierWith().verify(await signToken(CLAIMS, { typ }))).toEqual(CLAIMS)
    },
  )

  it('keeps claims beyond the typed ones, and freezes all of them', async () => {
    const act = { sub: 'key:0123456789abcdef' }
    const claims = await verifierWith().verify(await signToken({ ...CLAIMS, act }))
    expect(claims['act']).toEqual(act)
    expect(Object.isFrozen(claims)).toBe(true)
    expect(Object.isFrozen(claims['act'])).toBe(true)
  })

  it('is accepted through the real endpoints of the contract, and its scopes count', async () => {
    await using issuer = await serveIssuer()
    const verifier = openVerifier({ issuer: issuer.url, audience: AUDIENCE })
    const claims = await verifier.verify(await issuer.issue())
    expect(() => requireScope(claims, 'models/m1:read')).not.toThrow()
    expect(issuer.requests).toEqual(['/.well-known/jwks.json', '/oauth2/status-lists/0'])
  })

  it('asks below the path of the issuer', async () => {
    await using server = await serveIssuer()
    const issuer = `${server.url}/tenant/`
    const asked: string[] = []
    const fetch: VerifierFetch = (url, init) => {
      asked.push(url)
      return globalThis.fetch(url.replace('/tenant', ''), init)
    }
    const status = { status_list: { idx: 7, uri: `${server.url}/tenant/oauth2/status-lists/0` } }
    const failed = openVerifier({ issuer, audience: AUDIENCE, fetch }).verify(
      await server.issue({ iss: issuer, status }),
    )
    // The list that comes back is that of another issuer.
    expect((await catchRefusal(() => failed)).code).toBe('status_unavailable')
    expect(asked).toEqual([
      `${server.url}/tenant/.well-known/jwks.json`,
      `${server.url}/tenant/oauth2/status-lists/0`,
    ])
  })
})

describe('the shape of a token', () => {
  it.each([
    ['an empty string', () => ''],
    ['two parts', (token: string) => token.slice(0, token.lastIndexOf('.'))],
    ['four parts', (token: string) => `${token}.AAAA`],
    ['five parts, as an encrypted one has', () => 'AAAA.AAAA.AAAA.AAAA.AAAA'],
    ['padding after the signature', (token: string) => `${token}==`],
    ['a line break after the signature', (token: string) => `${token}\n`],
    ['a line break inside the signature', (token: string) => `${token.slice(0, -4)}\n${token.slice(-4)}`],
    ['a space before it', (token: string) => ` ${token}`],
    ['a header that is not JSON', (token: string) => token.replace(/^[^.]+/, 'AAAA')],
    ['a header that is a JSON array', (token: string) => token.replace(/^[^.]+/, 'W10')],
    ['an empty signature', (token: string) => token.slice(0, token.lastIndexOf('.') + 1)],
  ])('refuses %s as malformed', async (_name, spoil) => {
    const error = await refusalOf(spoil(await signToken()))
    expect(answerOf(error)).toEqual([
      'token_malformed',
      401,
      `Bearer error="invalid_token", error_description="The token is not a JWT", ${DPOP}`,
    ])
  })

  it('refuses a value that is not a string as malformed', async () => {
    const missing: unknown = undefined
    expect((await refusalOf(missing as string)).code).toBe('token_malformed')
  })

  it('refuses an endless token before looking at it or asking for keys', async () => {
    const fetch = stubFetch()
    const token = await signToken({ ...CLAIMS, padding: 'x'.repeat(16 * 1024) })
    expect((await refusalOf(token, { fetch })).code).toBe('token_malformed')
    expect(fetch.calls).toBe(0)
  })

  it('accepts no token in which any one character was changed', async () => {
    const token = await signToken()
    const verifier = verifierWith()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n'
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...alphabet), async (at, character) => {
        fc.pre(token[at] !== character)
        await catchRefusal(() => verifier.verify(token.slice(0, at) + character + token.slice(at + 1)))
      }),
      { numRuns: 300 },
    )
  })

  it('answers any text at all with a VerifyError', async () => {
    const verifier = verifierWith()
    const part = fc.base64String().map((text) => Buffer.from(text).toString('base64url'))
    const jwtLike = fc.tuple(fc.json(), part, part).map(([header, payload, signature]) => {
      return `${Buffer.from(header).toString('base64url')}.${payload}.${signature}`
    })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), jwtLike), async (text) => {
        expect((await catchRefusal(() => verifier.verify(text))).status).toBe(401)
      }),
    )
  })
})

describe('the header of a token', () => {
  it.each([
    'JWT',
    'id_token+jwt',
    'logout+jwt',
    'secevent+jwt',
    'jwt',
    'xapplication/at+jwt',
    '',
    7,
    undefined,
  ])('refuses typ %j, which is no access token', async (typ) => {
    const error = await refusalOf(await signToken(CLAIMS, { typ }))
    expect([error.code, error.status]).toEqual(['typ_mismatch', 401])
  })

  it('refuses HS256 keyed with the public key', async () => {
    const publicKey = await importJWK(signingKey('RS256').publicJwk, 'RS256', { extractable: true })
    if (publicKey instanceof Uint8Array) throw new Error('expected a public key')
    const unsigned = assembleToken({ alg: 'HS256', typ: 'at+jwt', kid: 'key-RS256' }, CLAIMS, '').slice(0, -1)
    const mac = createHmac('sha256', await exportSPKI(publicKey))
      .update(unsigned)
      .digest('base64url')
    const error = await refusalOf(`${unsigned}.${mac}`)
    expect([error.code, error.status]).toEqual(['alg_not_allowed', 401])
  })

  it.each(['none', 'None', 'HS256', 'RS512', 'ES384', 'es256', '', null, ['ES256']])(
    'refuses alg %j without asking for keys',
    async (alg) => {
      const fetch = stubFetch()
      const error = await refusalOf(assembleToken({ alg, typ: 'at+jwt', kid: 'key-ES256' }, CLAIMS, 'AAAA'), {
        fetch,
      })
      expect(error.code).toBe('alg_not_allowed')
      expect(fetch.calls).toBe(0)
    },
  )

  it('refuses an unsigned token', async () => {
    const error = await refusalOf(assembleToken({ alg: 'none', typ: 'at+jwt', kid: 'key-ES256' }, CLAIMS, ''))
    expect(error.code).toBe('token_malformed')
  })

  it('refuses one algorithm under the key of another', async () => {
    const token = await signToken(CLAIMS, { kid: 'key-PS256' }, signingKey('RS256'))
    expect((await refusalOf(token)).code).toBe('key_unknown')
  })

  it('refuses critical extensions, even ones jose would understand', async () => {
    for (const crit of [['b64'], ['exp'], []]) {
      const header = { alg: 'ES256', typ: 'at+jwt', kid: 'key-ES256', crit, b64: true }
      const error = await refusalOf(assembleToken(header, CLAIMS, 'AAAA'))
      expect([error.code, error.message]).toEqual(['header_invalid', 'The token has critical extensions'])
    }
  })

  it.each([undefined, '', 7, null])('refuses kid %j', async (kid) => {
    const error = await refusalOf(assembleToken({ alg: 'ES256', typ: 'at+jwt', kid }, CLAIMS, 'AAAA'))
    expect([error.code, error.message]).toEqual(['header_invalid', 'The token does not name its key'])
  })

  it('never uses a key the token brings along', async () => {
    const forger = await createSigningKey('ES256', 'key-ES256')
    const token = await signToken(CLAIMS, { jwk: forger.publicJwk, jku: 'https://evil.example' }, forger)
    expect((await refusalOf(token)).code).toBe('signature_invalid')
  })
})

describe('the signature of a token', () => {
  it('is refused when another key made it', async () => {
    const token = await signToken(CLAIMS, {}, await createSigningKey('ES256', 'key-ES256'))
    expect(answerOf(await refusalOf(token))).toEqual([
      'signature_invalid',
      401,
      `Bearer error="invalid_token", error_description="The signature of the token is not valid", ${DPOP}`,
    ])
  })

  it('is refused over claims it was not made for', async () => {
    const [header, , signature] = (await signToken()).split('.')
    const [, payload] = (await signToken({ ...CLAIMS, sub: 'someone-else' })).split('.')
    expect((await refusalOf(`${header}.${payload}.${signature}`)).code).toBe('signature_invalid')
  })

  it('is refused before the claims are looked at', async () => {
    const forger = await createSigningKey('ES256', 'key-ES256')
    expect((await refusalOf(await signToken({ ...CLAIMS, exp: 0 }, {}, forger))).code).toBe(
      'signature_invalid',
    )
  })

  it('is no reason for a 401 when the key of the issuer is too weak to use', async () => {
    const { publicKey, privateKey } = await crypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: 'SHA-256',
      },
      true,
      ['sign', 'verify'],
    )
    const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'weak', alg: 'RS256' }
    const signingInput = assembleToken({ alg: 'RS256', typ: 'at+jwt', kid: 'weak' }, CLAIMS, '').slice(0, -1)
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(signingInput))
    const token = `${signingInput}.${Buffer.from(signature).toString('base64url')}`
    const error = await refusalOf(token, { fetch: stubFetch({ keys: [jwk] }) })
    expect([error.code, error.status]).toEqual(['keys_unavailable', 503])
  })
})

describe('the claims of a token', () => {
  it('refuses a token of another issuer, to the last character', async () => {
    const error = await refusalOf(await signToken({ ...CLAIMS, iss: `${ISSUER}/` }))
    expect([error.code, error.status]).toEqual(['issuer_mismatch', 401])
  })

  it('refuses a token whose audience is another service', async () => {
    const error = await refusalOf(await signToken({ ...CLAIMS, aud: 'https://other.example.com' }))
    expect([error.code, error.status]).toEqual(['audience_mismatch', 401])
  })

  it('accepts another audience only with the check switched off', async () => {
    const token = await signToken({ ...CLAIMS, aud: 'https://other.example.com' })
    expect((await verifierWith({ audience: null }).verify(token)).aud).toBe('https://other.example.com')
  })

  it('reads the clock at each verification', async () => {
    let now = NOW
    const verifier = verifierWith({ now: () => now, clockToleranceSeconds: 0 })
    const token = await signToken({ ...CLAIMS, exp: NOW_SECONDS + 1 })
    await verifier.verify(token)
    now = new Date(NOW.getTime() + 1000)
    expect((await catchRefusal(() => verifier.verify(token), token)).code).toBe('token_expired')
  })
})

describe('a request', () => {
  const REQUEST = { method: 'GET', url: 'https://api.example.com/models', dpop: undefined }

  it('is verified by the token in its Authorization header', async () => {
    const authorization = `Bearer ${await signToken()}`
    expect(await verifierWith().verifyRequest({ ...REQUEST, authorization })).toEqual(CLAIMS)
  })

  it.each([
    [undefined, 'token_missing', 401, `Bearer, ${DPOP}`],
    [
      'Bearer a b',
      'request_invalid',
      400,
      `Bearer error="invalid_request", error_description="The Authorization header is malformed", ${DPOP}`,
    ],
    [
      'DPoP a.b.c',
      'token_malformed',
      401,
      'DPoP error="invalid_token", error_description="The token is not a JWT", algs="ES256 EdDSA Ed25519 RS256 PS256"',
    ],
  ])('with the Authorization header %j is refused with %s', async (authorization, ...answer) => {
    const error = await catchRefusal(() => verifierWith().verifyRequest({ ...REQUEST, authorization }))
    expect(answerOf(error)).toEqual(answer)
  })

  it('is not offered DPoP where it is switched off', async () => {
    const request = { ...REQUEST, authorization: undefined }
    const error = await catchRefusal(() => verifierWith({ dpop: null }).verifyRequest(request))
    expect(error.wwwAuthenticate).toBe('Bearer')
  })
})

describe('an issuer that is away', () => {
  it('is a 503 without a challenge, never a 401', async () => {
    const error = await refusalOf(await signToken(), {
      fetch: async () => new Response(null, { status: 500 }),
    })
    expect(error).toBeInstanceOf(VerifyError)
    expect(answerOf(error)).toEqual(['keys_unavailable', 503, undefined])
    expect(error.retryAfterSeconds).toBe(5)
    expect(error.cause).toEqual(new Error(`${ISSUER}/.well-known/jwks.json answered 500`))
  })
})

describe('a verifier that was closed', () => {
  afterEach(() => void vi.useRealTimers())

  it.each(['before its first token', 'after it'])(
    '%s still verifies, and asks for nothing by itself',
    async (when) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const fetch = stubFetch()
      const verifier = verifierWith({ fetch })
      if (when === 'after it') await verifier.verify(await signToken())
      verifier.close()
      expect(await verifier.verify(await signToken())).toEqual(CLAIMS)
      await vi.advanceTimersByTimeAsync(600_000)
      expect(fetch.calls).toBe(2)
    },
  )

  it('ends the request that is under way', async () => {
    const asked = Promise.withResolvers<RequestInit>()
    const fetch: VerifierFetch = (_url, init) => {
      asked.resolve(init)
      return new Promise(() => {})
    }
    const verifier = verifierWith({ fetch })
    const refused = catchRefusal(async () => verifier.verify(await signToken()))
    const { signal } = await asked.promise
    expect(signal?.aborted).toBe(false)
    verifier.close()
    expect(signal?.aborted).toBe(true)
    expect((await refused).code).toBe('keys_unavailable')
  })
})

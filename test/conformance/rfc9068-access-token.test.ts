// RFC 9068, JWT profile for access tokens: header and claims of what is issued, for every algorithm, and what resource
// servers refuse: those that embed `patmint/verify`, and the management API.

import {
  CompactSign,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  generateKeyPair,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SigningAlgorithm } from '../../src/protocol/access-token.ts'
import { createVerifier, type VerifierOptions, VerifyError } from '../../src/verify/index.ts'
import { type Acme, API, REPORTS, startAcme } from '../support/acme.ts'
import { requestExchange } from '../support/requests.ts'
import { ISSUER, RESOURCE_METADATA } from '../support/test-server.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

/** Has the API ask for another algorithm. */
const signWith = (alg: SigningAlgorithm) =>
  acme.db.updateTable('resource_servers').set({ signing_alg: alg }).where('audience', '=', API).execute()

async function exchangeAndVerify(audience: string | string[]) {
  const answer = await requestExchange(acme.url, { subject_token: acme.samPat, audience })
  if (answer.status !== 200) throw new Error(answer.text)
  const keys = (await (await fetch(`${acme.url}/.well-known/jwks.json`)).json()) as JSONWebKeySet
  const verified = await jwtVerify(String(answer.json['access_token']), createLocalJWKSet(keys))
  return { ...verified, answer }
}

describe('section 2.1, the header', () => {
  it.each<SigningAlgorithm>(['ES256', 'EdDSA', 'RS256', 'PS256'])(
    'signs with %s when the resource server asks',
    async (alg) => {
      await signWith(alg)
      const { protectedHeader } = await exchangeAndVerify(API)
      expect(protectedHeader).toEqual({ typ: 'at+jwt', alg, kid: expect.stringMatching(/^[\w-]{43}$/) })
    },
  )

  it('has nothing but typ, alg and kid', async () => {
    const { answer } = await exchangeAndVerify(REPORTS)
    expect(Object.keys(decodeProtectedHeader(String(answer.json['access_token']))).sort()).toEqual([
      'alg',
      'kid',
      'typ',
    ])
  })
})

describe('section 2.2, the claims', () => {
  it('are exactly those of the contract, and tell nobody who the user is', async () => {
    const before = Math.floor(Date.now() / 1000)
    const { payload } = await exchangeAndVerify(REPORTS)
    expect(payload).toEqual({
      iss: ISSUER,
      sub: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      aud: REPORTS,
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 600,
      jti: expect.any(String),
      client_id: 'patmint-cli',
      scope: 'reports:read',
      org: 'acme',
      cred: acme.samPat.slice(4, 20),
      status: { status_list: { idx: expect.any(Number), uri: `${ISSUER}/oauth2/status-lists/0` } },
    })
    expect(payload.iat).toBeGreaterThanOrEqual(before)
    expect(payload.iat).toBeLessThanOrEqual(Date.now() / 1000)
    expect(JSON.stringify(payload)).not.toMatch(/sam|acme\.test/i)
  })

  it('tell the time of the decision, not of the signature: no cap is overrun on the way', async () => {
    const decidedAt = new Date(Date.now() - 30_000)
    acme.setClock(() => decidedAt)
    const { payload } = await exchangeAndVerify(REPORTS)
    acme.setClock(() => new Date())
    expect(payload.iat).toBe(Math.floor(decidedAt.getTime() / 1000))
    expect(payload.exp).toBe((payload.iat ?? 0) + 600)
  })

  it('never repeat a jti', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, () => exchangeAndVerify(REPORTS)))
    expect(new Set(tokens.map(({ payload }) => payload.jti)).size).toBe(50)
  })

  it('name several audiences only when the scopes are the same at each', async () => {
    await acme.db
      .updateTable('resource_servers')
      .set({ signing_alg: 'EdDSA' })
      .where('audience', '=', API)
      .execute()
    const answer = await requestExchange(acme.url, { subject_token: acme.samPat, audience: [API, REPORTS] })
    expect(answer).toMatchObject({ status: 400, json: { error: 'invalid_scope' } })
  })

  it('record every token before it leaves', async () => {
    const { payload } = await exchangeAndVerify(REPORTS)
    const record = await acme.db
      .selectFrom('audit_events')
      .select(['type', 'subject', 'credential_id', 'client_id', 'audiences', 'scopes', 'ip'])
      .where('token_id', '=', String(payload.jti))
      .executeTakeFirst()
    expect(record).toEqual({
      type: 'exchange.granted',
      subject: payload.sub,
      credential_id: payload['cred'],
      client_id: 'patmint-cli',
      audiences: [REPORTS],
      scopes: ['reports:read'],
      ip: '127.0.0.1',
    })
  })
})

describe('section 4, validation by a resource server', () => {
  /** A service that knows the metadata of the issuer, which listens elsewhere than its name says. */
  async function createService(options: Partial<VerifierOptions> = {}) {
    const metadata = await fetch(`${acme.url}/.well-known/oauth-authorization-server`)
    const { issuer, jwks_uri: jwksUri } = (await metadata.json()) as { issuer: string; jwks_uri: string }
    return createVerifier({
      issuer,
      jwksUri,
      audience: API,
      fetch: (url, init) => fetch(url.replace(ISSUER, acme.url), init),
      ...options,
    })
  }

  const obtain = async (subject_token: string, audience: string): Promise<string> =>
    String((await requestExchange(acme.url, { subject_token, audience })).json['access_token'])

  const refusalOf = async (token: string, options?: Partial<VerifierOptions>) => {
    const service = await createService(options)
    const error: unknown = await service.verify(token).catch((reason: unknown) => reason)
    if (!(error instanceof VerifyError)) throw new Error('expected a VerifyError', { cause: error })
    return [error.code, error.status, error.wwwAuthenticate]
  }

  const invalid = (code: string, description: string) => [
    code,
    401,
    `Bearer error="invalid_token", error_description="${description}", DPoP algs="ES256 EdDSA Ed25519 RS256 PS256"`,
  ]

  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

  /** The same claims and signature under another header. */
  const withHeader = (token: string, change: Record<string, unknown>): string =>
    token.replace(/^[^.]+/, encode({ ...decodeProtectedHeader(token), ...change }))

  /** The same claims and header, signed by somebody else. */
  async function forge(token: string, change: Record<string, unknown> = {}): Promise<string> {
    const { alg = '', ...header } = decodeProtectedHeader(token)
    const { privateKey } = await generateKeyPair(alg)
    return new CompactSign(new TextEncoder().encode(JSON.stringify(decodeJwt(token))))
      .setProtectedHeader({ alg, ...header, ...change })
      .sign(privateKey)
  }

  const fetchStatusList = async () => (await fetch(`${acme.url}/oauth2/status-lists/0`)).text()

  it.each<SigningAlgorithm>(['ES256', 'EdDSA', 'RS256', 'PS256'])(
    'accepts %s with the issuer and the keys of the metadata alone',
    async (alg) => {
      await signWith(alg)
      const token = await obtain(acme.samPat, API)
      expect(decodeProtectedHeader(token).alg).toBe(alg)
      expect(await (await createService()).verify(token)).toEqual(decodeJwt(token))
    },
  )

  it.each<[string, (token: string) => string | Promise<string>, readonly unknown[]]>([
    [
      'a JWT of the issuer that is no access token',
      fetchStatusList,
      invalid('typ_mismatch', 'The token is not an access token'),
    ],
    [
      'another typ',
      (token) => withHeader(token, { typ: 'JWT' }),
      invalid('typ_mismatch', 'The token is not an access token'),
    ],
    [
      'the audience of another service',
      () => obtain(acme.samPat, REPORTS),
      invalid('audience_mismatch', 'The token is for another audience'),
    ],
    [
      'alg none',
      (token) => withHeader(token, { alg: 'none' }),
      invalid('alg_not_allowed', 'The algorithm of the token is not allowed'),
    ],
    [
      'alg none and no signature',
      (token) => withHeader(token, { alg: 'none' }).replace(/[^.]+$/, ''),
      invalid('token_malformed', 'The token is not a JWT'),
    ],
    [
      'the signature of another key',
      forge,
      invalid('signature_invalid', 'The signature of the token is not valid'),
    ],
    [
      'a key the issuer does not publish',
      (token) => forge(token, { kid: 'another' }),
      invalid('key_unknown', 'The token is signed with an unknown key'),
    ],
  ])('refuses %s as invalid_token', async (_name, spoil, refusal) => {
    expect(await refusalOf(await spoil(await obtain(acme.samPat, API)))).toEqual(refusal)
  })

  it('refuses another issuer, to the last character', async () => {
    const token = await obtain(acme.samPat, API)
    expect(await refusalOf(token, { issuer: `${ISSUER}/` })).toEqual(
      invalid('issuer_mismatch', 'The token is from another issuer'),
    )
  })

  it('refuses a token from its exp on, and accepts it a millisecond before', async () => {
    const token = await obtain(acme.samPat, API)
    const end = Number(decodeJwt(token).exp) * 1000
    const at = (instant: number) => ({
      clockToleranceSeconds: 0,
      // The lists are of the real time.
      statusList: null,
      now: () => new Date(instant),
    })
    const service = await createService(at(end - 1))
    expect(await service.verify(token)).toEqual(decodeJwt(token))
    expect(await refusalOf(token, at(end))).toEqual(invalid('token_expired', 'The token has expired'))
  })

  it('is done by the management API as well', async () => {
    const token = await obtain(acme.adaPat, `${ISSUER}/api`)
    const call = async (value: string) => {
      const answer = await fetch(`${acme.url}/api/v1/me`, { headers: { Authorization: `Bearer ${value}` } })
      return [answer.status, answer.headers.get('www-authenticate')]
    }
    expect((await call(token))[0]).toBe(200)
    for (const value of [
      await fetchStatusList(),
      withHeader(token, { typ: 'JWT' }),
      withHeader(token, { alg: 'none' }),
      withHeader(token, { alg: 'none' }).replace(/[^.]+$/, ''),
      await forge(token),
      await forge(token, { kid: 'another' }),
    ]) {
      expect(await call(value)).toEqual([401, `Bearer error="invalid_token", ${RESOURCE_METADATA}`])
    }
  })
})

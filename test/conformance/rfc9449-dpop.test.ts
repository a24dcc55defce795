// RFC 9449, DPoP: proofs at the token endpoint and at the management API, and the tokens that are bound by them.

import { createHmac, randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, ORDERS_BASIC, REPORTS, startAcme } from '../support/acme.ts'
import { athOf, createProofKey, type ProofKey } from '../support/dpop.ts'
import { type Answer, callApi, type Form, requestExchange } from '../support/requests.ts'
import { ISSUER } from '../support/test-server.ts'

let acme: Acme
let key: ProofKey
beforeAll(async () => {
  ;[acme, key] = await Promise.all([startAcme(), createProofKey()])
})
afterAll(() => acme.stop())

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const MANAGEMENT = `${ISSUER}/api`
const TOKEN_URI = `${ISSUER}/oauth2/token`

const exchange = (proof?: string, form: Form = {}) =>
  requestExchange(
    acme.url,
    { subject_token: acme.samPat, audience: API, ...form },
    proof === undefined ? {} : { DPoP: proof },
  )

const NOT_VALID = { error: 'invalid_dpop_proof', error_description: 'the DPoP proof is not valid' }

function expectRefused(answer: Answer): void {
  expect([answer.status, answer.json]).toEqual([400, NOT_VALID])
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

const now = (): number => Math.floor(Date.now() / 1000)

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JWS of any kind, which no library would make. */
function forge(header: unknown, claims: unknown, sign = (_: string): string => 'c2ln'): string {
  const input = `${encode(header)}.${encode(claims)}`
  return `${input}.${sign(input)}`
}

const claims = () => ({ jti: randomUUID(), htm: 'POST', htu: TOKEN_URI, iat: now() })

describe('section 5, a token request with a proof', () => {
  it.each(['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'])(
    'binds the token to the key, by %s',
    async (alg) => {
      const client = await createProofKey(alg)
      const answer = await exchange(await client.prove())
      expect([answer.status, answer.json]).toEqual([
        200,
        {
          access_token: expect.any(String),
          issued_token_type: ACCESS_TOKEN,
          token_type: 'DPoP',
          expires_in: 300,
          scope: expect.any(String),
          subject_token_expires_in: expect.any(Number),
        },
      ])
      expect(decodeJwt(String(answer.json['access_token']))['cnf']).toEqual({ jkt: client.thumbprint })
    },
  )

  it('binds the token of a client that authenticates itself all the same', async () => {
    const headers = { DPoP: await key.prove(), Authorization: ORDERS_BASIC }
    const form = { subject_token: acme.samPat, audience: API, client_id: undefined }
    const answer = await requestExchange(acme.url, form, headers)
    expect([answer.status, answer.json['token_type']]).toEqual([200, 'DPoP'])
    expect(decodeJwt(String(answer.json['access_token']))['cnf']).toEqual({ jkt: key.thumbprint })
  })

  it('stays a Bearer token without one', async () => {
    const answer = await exchange()
    expect(answer.json['token_type']).toBe('Bearer')
    expect(decodeJwt(String(answer.json['access_token']))).not.toHaveProperty('cnf')
  })
})

const BAD: [string, () => Promise<string>][] = [
  ['1: an empty header', async () => ''],
  ['1: two proofs in one header', async () => `${await key.prove()}, ${await key.prove()}`],
  ['2: no JWT', async () => 'proof'],
  ['2: a JWS that ends in padding', async () => `${await key.prove()}==`],
  ['2: a header that is no JSON', async () => `bm8.${encode(claims())}.c2ln`],
  ['2: a header that is no object', async () => forge([], claims())],
  ['2: one that is too long', () => key.prove({ filler: 'x'.repeat(4096) })],
  ['3: no jti', () => key.prove({ jti: undefined })],
  ['3: an empty jti', () => key.prove({ jti: '' })],
  ['3: a jti that is no text', () => key.prove({ jti: 7 })],
  ['3: a jti that is too long', () => key.prove({ jti: 'x'.repeat(257) })],
  ['3: no htm', () => key.prove({ htm: undefined })],
  ['3: no htu', () => key.prove({ htu: undefined })],
  ['3: no iat', () => key.prove({ iat: undefined })],
  ['3: an iat that is no number', () => key.prove({ iat: String(now()) })],
  ['3: claims that are no object', () => signed([])],
  ['4: no typ', () => key.prove({}, { typ: undefined })],
  ['4: the typ of another JWT', () => key.prove({}, { typ: 'JWT' })],
  ['4: the typ in another spelling', () => key.prove({}, { typ: 'DPoP+jwt' })],
  ['5: alg none', async () => forge({ typ: 'dpop+jwt', alg: 'none', jwk: key.jwk }, claims())],
  ['5: a symmetric alg', async () => forge({ typ: 'dpop+jwt', alg: 'HS256', jwk: OCT }, claims(), hmac)],
  ['5: an alg that is not advertised', async () => (await createProofKey('ES384')).prove()],
  ['6: no jwk', () => key.prove({}, { jwk: undefined })],
  ['6: a jwk that is no key', () => key.prove({}, { jwk: { kty: 'EC' } })],
  ['6: a jwk of another type', async () => key.prove({}, { jwk: (await createProofKey('RS256')).jwk })],
  ['6: a signature by another key', async () => key.prove({}, { jwk: (await createProofKey()).jwk })],
  ['6: a damaged signature', async () => damage(await key.prove())],
  ['7: a private jwk', () => key.prove({}, { jwk: key.privateJwk })],
  ['7: a jwk with a private member', () => key.prove({}, { jwk: { ...key.jwk, k: 'AA' } })],
  ['8: another method', () => key.prove({ htm: 'GET' })],
  ['8: the method in lower case', () => key.prove({ htm: 'post' })],
  ['9: another path', () => key.prove({ htu: `${ISSUER}/oauth2/revoke` })],
  ['9: a path that goes on', () => key.prove({ htu: `${TOKEN_URI}/` })],
  ['9: another host', () => key.prove({ htu: 'https://evil.test/oauth2/token' })],
  [
    '9: the host it was sent to, which is not the issuer',
    () => key.prove({ htu: `${acme.url}/oauth2/token` }),
  ],
  ['9: another scheme', () => key.prove({ htu: TOKEN_URI.replace('https', 'http') })],
  ['9: a relative URI', () => key.prove({ htu: '/oauth2/token' })],
  ['9: user information', () => key.prove({ htu: TOKEN_URI.replace('https://', 'https://me@') })],
  ['9: a URI with a blank', () => key.prove({ htu: ` ${TOKEN_URI}` })],
  ['11: an iat too long ago', () => key.prove({ iat: now() - 90 })],
  ['11: an iat too far ahead', () => key.prove({ iat: now() + 30 })],
  ['11: an iat in milliseconds', () => key.prove({ iat: Date.now() })],
  ['a critical extension', () => key.prove({}, { crit: ['b64'], b64: true })],
]

const OCT = { kty: 'oct', k: 'AAAA' }
const hmac = (input: string): string =>
  createHmac('sha256', Buffer.from(OCT.k, 'base64url')).update(input).digest('base64url')

/** A proof with a good signature over whatever this is. */
// What is spread over the usual claims brings its own way of becoming JSON.
const signed = (payload: object): Promise<string> => key.prove(Object.assign(payload, { toJSON: () => [] }))

function damage(proof: string): string {
  const [header, payload, signature = ''] = proof.split('.')
  return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
}

describe('section 4.3, a proof is refused for', () => {
  it.each(BAD)('check %s', async (_check, makeProof) => {
    expectRefused(await exchange(await makeProof()))
  })

  it('check 1: the header sent twice', async () => {
    const headers = [
      ['DPoP', await key.prove()],
      ['DPoP', await key.prove()],
    ] as [string, string][]
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      client_id: 'patmint-cli',
      subject_token: acme.samPat,
      subject_token_type: ACCESS_TOKEN,
      audience: API,
    })
    const answer = await fetch(`${acme.url}/oauth2/token`, { method: 'POST', headers, body })
    expect([answer.status, await answer.json()]).toEqual([400, NOT_VALID])
  })
})

describe('section 4.3, a proof is accepted', () => {
  it.each([
    ['query and fragment', `${TOKEN_URI}?a=b#c`],
    ['the case of scheme and host', TOKEN_URI.replace('https://sts', 'HTTPS://STS')],
    ['the default port', TOKEN_URI.replace('.test', '.test:443')],
    ['dot segments', TOKEN_URI.replace('/oauth2', '/x/../oauth2')],
    ['escapes of what needs none', TOKEN_URI.replace('token', '%74oken')],
  ])('whatever its htu says of %s', async (_what, htu) => {
    expect((await exchange(await key.prove({ htu }))).json['token_type']).toBe('DPoP')
  })

  it('with an iat at the edge of what is fresh', async () => {
    expect((await exchange(await key.prove({ iat: now() - 55 }))).status).toBe(200)
    expect((await exchange(await key.prove({ iat: now() + 3 }))).status).toBe(200)
  })
})

describe('section 11.1, replay', () => {
  it('refuses a proof that was used, also after a request that was refused', async () => {
    const [granted, refused] = [await key.prove(), await key.prove()]
    expect((await exchange(granted)).status).toBe(200)
    expectRefused(await exchange(granted))
    expect((await exchange(refused, { scope: 'models:destroy' })).json['error']).toBe('invalid_scope')
    expectRefused(await exchange(refused))
  })

  it('is on record with its true cause', async () => {
    const proof = await key.prove()
    await exchange(proof)
    await exchange(proof)
    const { reason, credential_id } = await acme.db
      .selectFrom('audit_events')
      .select(['reason', 'credential_id'])
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow()
    expect({ reason, credential_id }).toEqual({
      reason: 'proof_replayed',
      credential_id: acme.samPat.slice(4, 20),
    })
  })

  it('knows a jti by its key: two clients may choose the same', async () => {
    const other = await createProofKey()
    const jti = randomUUID()
    expect((await exchange(await key.prove({ jti }))).status).toBe(200)
    expect((await exchange(await other.prove({ jti }))).status).toBe(200)
    expectRefused(await exchange(await key.prove({ jti, extra: 1 })))
  })
})

describe('a token that is bound', () => {
  const bind = async (by: ProofKey, audience = API): Promise<string> =>
    String((await exchange(await by.prove(), { audience })).json['access_token'])

  it('is exchanged by its key alone, and what comes of it is bound to the same', async () => {
    const subject = { subject_token: await bind(key), subject_token_type: ACCESS_TOKEN, scope: 'models:read' }
    const invalid = { error: 'invalid_request', error_description: 'subject_token is not valid' }
    expect((await exchange(undefined, subject)).json).toEqual(invalid)
    expect((await exchange(await (await createProofKey()).prove(), subject)).json).toEqual(invalid)
    const answer = await exchange(await key.prove(), subject)
    expect(answer.json['token_type']).toBe('DPoP')
    expect(decodeJwt(String(answer.json['access_token']))['cnf']).toEqual({ jkt: key.thumbprint })
  })
})

describe('section 7, the management API', () => {
  let token: string
  beforeAll(async () => {
    const form = { subject_token: acme.adaPat, audience: MANAGEMENT }
    token = String((await exchange(await key.prove(), form)).json['access_token'])
  })

  const USERS = `${ISSUER}/api/v1/users`
  const proveCall = (overrides: Record<string, unknown> = {}, by = key): Promise<string> =>
    by.prove({ htm: 'GET', htu: USERS, ath: athOf(token), ...overrides })
  const call = (scheme: string, value: string, proof?: string) =>
    callApi(acme.url, undefined, 'GET', '/users', undefined, {
      Authorization: `${scheme} ${value}`,
      ...(proof === undefined ? {} : { DPoP: proof }),
    })
  const metadata = () => `resource_metadata="${acme.issuer}/.well-known/oauth-protected-resource/api"`
  const challenge = (error: string) =>
    `DPoP error="${error}", algs="ES256 EdDSA Ed25519 RS256 PS256", ${metadata()}`

  it('takes a bound token with a proof by its key, once', async () => {
    const proof = await proveCall()
    expect((await call('DPoP', token, proof)).status).toBe(200)
    const again = await call('DPoP', token, proof)
    expect([again.status, again.headers.get('www-authenticate')]).toEqual([
      401,
      challenge('invalid_dpop_proof'),
    ])
  })

  it('refuses a bound token from a bearer', async () => {
    const answer = await call('Bearer', token)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer error="invalid_token", ${metadata()}`,
    ])
  })

  it.each<[string, () => Promise<string | undefined>]>([
    ['no proof', async () => undefined],
    ['the hash of another token', () => proveCall({ ath: athOf('another') })],
    ['no hash of the token', () => proveCall({ ath: undefined })],
    ['another method', () => proveCall({ htm: 'POST' })],
    ['another path', () => proveCall({ htu: `${ISSUER}/api/v1/tokens` })],
    ['an old proof', () => proveCall({ iat: now() - 90 })],
  ])('refuses it with %s', async (_what, makeProof) => {
    const answer = await call('DPoP', token, await makeProof())
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      challenge('invalid_dpop_proof'),
    ])
  })

  it('says which scope is missing in the scheme it was presented by', async () => {
    const { json } = await exchange(await key.prove(), {
      subject_token: acme.adaPat,
      audience: MANAGEMENT,
      scope: 'tokens:read',
    })
    const value = String(json['access_token'])
    const answer = await call('DPoP', value, await proveCall({ ath: athOf(value) }))
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      `DPoP error="insufficient_scope", scope="users:read", algs="ES256 EdDSA Ed25519 RS256 PS256", ${metadata()}`,
    ])
  })

  it('refuses it with a proof by another key', async () => {
    const answer = await call('DPoP', token, await proveCall({}, await createProofKey()))
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, challenge('invalid_token')])
  })

  it('spends no proof on what is no token', async () => {
    const proof = await proveCall({ ath: athOf('nonsense') })
    for (let time = 0; time < 2; time += 1) {
      const answer = await call('DPoP', 'nonsense', proof)
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        challenge('invalid_token'),
      ])
    }
  })

  it('refuses a credential, and a token that is not bound, in the scheme of bound tokens', async () => {
    const plain = String(
      (await exchange(undefined, { subject_token: acme.adaPat, audience: MANAGEMENT })).json['access_token'],
    )
    for (const value of [acme.adaPat, plain]) {
      expect((await call('DPoP', value, await proveCall({ ath: athOf(value) }))).status).toBe(401)
    }
  })

  it('ignores no proof of a bearer', async () => {
    const answer = await call('Bearer', acme.adaPat, await proveCall())
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
  })
})

describe('a resource server that requires a proof', () => {
  beforeAll(() => require(true))
  afterAll(() => require(false))
  const require = (isRequired: boolean) =>
    acme.db
      .updateTable('resource_servers')
      .set({ dpop_required: isRequired })
      .where('audience', '=', REPORTS)
      .execute()

  it('gets no token without one', async () => {
    const answer = await exchange(undefined, { audience: REPORTS })
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: 'invalid_dpop_proof', error_description: 'a DPoP proof is required' },
    ])
    expect((await exchange(await key.prove(), { audience: REPORTS })).json['token_type']).toBe('DPoP')
  })

  it('tells so nobody who could have none anyway', async () => {
    const ask = (form: Form) => exchange(undefined, { audience: REPORTS, ...form })
    expect((await ask({ scope: 'reports:destroy' })).json['error']).toBe('invalid_scope')
    expect((await ask({ subject_token: acme.janePat })).json['error']).toBe('invalid_target')
  })
})

describe('other endpoints', () => {
  it('refuse a proof, which has no meaning there', async () => {
    const body = new URLSearchParams({ token: 'x' })
    const headers = { DPoP: await key.prove({ htu: `${ISSUER}/oauth2/revoke` }) }
    const answer = await fetch(`${acme.url}/oauth2/revoke`, { method: 'POST', body, headers })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'a DPoP proof has no meaning here' },
    ])
  })
})

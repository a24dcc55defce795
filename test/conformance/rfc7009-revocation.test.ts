// RFC 7009, token revocation: of a credential, and of a single access token.

import { randomBytes } from 'node:crypto'
import { allowInsecureRequests, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../src/protocol/credential.ts'
import { ACCESS_TOKEN_TYPE } from '../../src/protocol/urn.ts'
import { type Acme, API, mistype, ORDERS_BASIC, startAcme, withAnotherSecret } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { type Answer, requestExchange, requestIntrospection, requestRevocation } from '../support/requests.ts'
import { ISSUER } from '../support/test-server.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const revoke = (form: Parameters<typeof requestRevocation>[1], headers: Record<string, string> = {}) =>
  requestRevocation(acme.url, form, headers)

const expectDone = (answer: Answer): void => {
  expect([answer.status, answer.text]).toEqual([200, ''])
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

const expectError = (answer: Answer, error: string, description: string, status = 400): void => {
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect([answer.status, answer.json]).toEqual([status, { error, error_description: description }])
}

const isAlive = async (pat: string): Promise<boolean> =>
  (await requestExchange(acme.url, { subject_token: pat })).status === 200

const spare = () => acme.issue('jane@acme.test', { name: `spare ${randomBytes(4).toString('hex')}` })

describe('a revocation request (section 2.1)', () => {
  it('ends the token', async () => {
    const pat = await spare()
    expect(await isAlive(pat)).toBe(true)
    expectDone(await revoke({ token: pat }))
    expect(await isAlive(pat)).toBe(false)
  })

  it.each(['access_token', 'refresh_token', 'urn:patmint:token-type:pat', 'nonsense', ''])(
    'ends it whatever the hint %j says',
    async (token_type_hint) => {
      const pat = await spare()
      expectDone(await revoke({ token: pat, token_type_hint }))
      expect(await isAlive(pat)).toBe(false)
      expectDone(await revoke({ token: pat }))
    },
  )

  it.each([
    ['without a token', {}],
    ['with an empty token', { token: '' }],
    ['with nothing but a hint', { token_type_hint: 'access_token' }],
  ])('is refused %s', async (_name, form) => {
    expectError(await revoke(form), 'invalid_request', 'token is missing')
  })

  it('is refused with two tokens, and ends neither', async () => {
    const pats = [await spare(), await spare()]
    expectError(await revoke({ token: pats }), 'invalid_request', 'token must not be repeated')
    expect(await Promise.all(pats.map(isAlive))).toEqual([true, true])
  })

  it('is refused with two hints', async () => {
    const form = { token: 'x', token_type_hint: ['a', 'b'] }
    expectError(await revoke(form), 'invalid_request', 'token_type_hint must not be repeated')
  })

  it('takes the token from the form alone', async () => {
    const pat = await spare()
    const inQuery = await fetch(`${acme.url}/oauth2/revoke?token=${pat}`, { method: 'POST' })
    expect(inQuery.status).toBe(400)
    expect((await fetch(`${acme.url}/oauth2/revoke?token=${pat}`)).status).toBe(405)
    expect(await isAlive(pat)).toBe(true)
  })

  it.each([
    ['JSON', { 'Content-Type': 'application/json' }],
    ['plain text', { 'Content-Type': 'text/plain' }],
    ['an encoded body', { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Encoding': 'gzip' }],
  ])('is refused as %s', async (_name, headers) => {
    expectError(
      await revoke({ token: 'x' }, headers),
      'invalid_request',
      'the body must be application/x-www-form-urlencoded',
    )
  })

  it('is refused when it is much longer than any token', async () => {
    const answer = await revoke({ token: 'x'.repeat(20_000) })
    expectError(answer, 'invalid_request', 'the body is too large', 413)
  })
})

describe('the holder of a token (section 2.1)', () => {
  it('needs no client: possession is the authority, and client authentication is not looked at', async () => {
    for (const [form, headers] of [
      [{}, {}],
      [{ client_id: 'orders-service' }, {}],
      [{ client_id: 'nobody', client_secret: 'wrong' }, {}],
      [{}, { Authorization: ORDERS_BASIC }],
      [{}, { Authorization: 'Basic bm9ib2R5Ondyb25n' }],
    ] as const) {
      const pat = await spare()
      expectDone(await revoke({ token: pat, ...form }, headers))
      expect(await isAlive(pat)).toBe(false)
    }
  })
})

describe('a single access token', () => {
  const exchange = async (subject_token: string): Promise<string> => {
    const { json } = await requestExchange(acme.url, { subject_token, audience: API })
    return canary(String(json['access_token']))
  }
  const isActive = async (token: string): Promise<unknown> =>
    (await requestIntrospection(acme.url, { token }, { Authorization: ORDERS_BASIC })).json['active']

  it('ends, and neither its credential nor its siblings do', async () => {
    const [token, sibling] = [await exchange(acme.janePat), await exchange(acme.janePat)]
    expectDone(await revoke({ token }))
    expect([await isActive(token), await isActive(sibling)]).toEqual([false, true])
    expect(await isAlive(acme.janePat)).toBe(true)
    expectDone(await revoke({ token }))
  })

  it('is not exchanged again', async () => {
    const token = await exchange(acme.janePat)
    const reExchange = () =>
      requestExchange(acme.url, { subject_token: token, subject_token_type: ACCESS_TOKEN_TYPE })
    expect((await reExchange()).status).toBe(200)
    expectDone(await revoke({ token }))
    expect([(await reExchange()).status, (await reExchange()).json]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'subject_token is not valid' },
    ])
  })

  it('that is none of ours is left alone', async () => {
    const token = await exchange(acme.janePat)
    const [header, payload, signature = ''] = token.split('.')
    for (const forged of [
      `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      `${header}.${payload}.`,
      `${token}==`,
    ])
      expectDone(await revoke({ token: forged }))
    expect(await isActive(token)).toBe(true)
  })
})

describe('the response (section 2.2)', () => {
  it('is the same for a token that was revoked, is unknown, has a wrong secret or is garbage', async () => {
    const pat = await spare()
    const unknown = canary(generateCredential('personal', randomBytes).reveal())
    const forged = 'eyJhbGciOiJub25lIn0.e30.'
    for (const token of [withAnotherSecret(pat), unknown, pat, pat, mistype(pat), 'garbage', 'a.b', forged])
      expectDone(await revoke({ token }))
  })
})

describe('metadata (RFC 8414 section 2)', () => {
  it('names the endpoint and that no client authenticates there', async () => {
    const server = await processDiscoveryResponse(
      new URL(ISSUER),
      await discoveryRequest(new URL(acme.url), { algorithm: 'oauth2', [allowInsecureRequests]: true }),
    )
    expect(server.revocation_endpoint).toBe(`${ISSUER}/oauth2/revoke`)
    expect(server.revocation_endpoint_auth_methods_supported).toEqual(['none'])
  })
})

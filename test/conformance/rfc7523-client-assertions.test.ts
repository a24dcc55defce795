// RFC 7523, JWT assertions for client authentication (section 2.2, 3), and where their keys come from: inline or at the
// client's own URL (OpenID Connect Core section 9, RFC 7591 section 2).

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, ORDERS_BASIC, startAcme } from '../support/acme.ts'
import { type AssertionKey, createAssertionKey } from '../support/assertion-client.ts'
import { type Answer, callApi, requestExchange } from '../support/requests.ts'
import { ISSUER } from '../support/test-server.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme({ PATMINT_CLIENT_JWKS_ALLOWED_CIDRS: '127.0.0.0/8' })
})
afterAll(() => acme.stop())

const exchange = (
  form: Record<string, string | readonly string[] | undefined>,
  headers?: Record<string, string>,
) => requestExchange(acme.url, { subject_token: acme.janePat, ...form }, headers)
const outcome = ({ status, json }: Answer) => [status, json['error'], json['error_description']]

const INVALID_CLIENT = [401, 'invalid_client', 'client authentication failed']
const GRANTED = [200, undefined, undefined]

async function register(client_id: string, keys: Record<string, unknown>): Promise<void> {
  const body = { client_id, name: 'Batch', token_endpoint_auth_method: 'private_key_jwt', ...keys }
  const answer = await callApi(acme.url, acme.adminToken, 'POST', '/clients', body)
  if (answer.status !== 201) throw new Error(answer.text)
}

/** A client that is registered with a key of its own. */
async function registerKey(clientId: string, header?: { alg: string; kid: string }): Promise<AssertionKey> {
  const key = await createAssertionKey(clientId, ISSUER, header)
  await register(clientId, { jwks: { keys: [key.jwk] } })
  return key
}

const now = (): number => Math.floor(Date.now() / 1000)

describe('section 3, the assertion', () => {
  let batch: AssertionKey
  beforeAll(async () => {
    batch = await registerKey('batch')
  })

  it.each([
    ['the issuer', ISSUER],
    ['the token endpoint', `${ISSUER}/oauth2/token`],
    ['one of several', [ISSUER, 'https://elsewhere.test']],
  ])('is accepted when it is for %s', async (_name, aud) => {
    expect(outcome(await exchange(await batch.assert({ aud })))).toEqual(GRANTED)
  })

  it('is accepted without client_id: sub says whose it is', async () => {
    expect(outcome(await exchange({ ...(await batch.assert()), client_id: undefined }))).toEqual(GRANTED)
  })

  it.each<[string, () => Record<string, unknown>]>([
    ['for another server', () => ({ aud: 'https://evil.test' })],
    ['for the address in the Host header', () => ({ aud: `${acme.url}/oauth2/token` })],
    ['for the issuer with a trailing slash', () => ({ aud: `${ISSUER}/` })],
    ['for nobody', () => ({ aud: undefined })],
    ['of another issuer', () => ({ iss: 'orders-service' })],
    ['of no issuer', () => ({ iss: undefined })],
    ['that names no subject', () => ({ sub: undefined })],
    ['without an end', () => ({ exp: undefined })],
    ['with an end that is no number', () => ({ exp: 'tomorrow' })],
    ['that has ended', () => ({ exp: now() - 60 })],
    ['that is valid for more than an hour', () => ({ exp: now() + 3660 })],
    ['that is valid for ever', () => ({ exp: 1e300 })],
    ['that is not valid yet', () => ({ nbf: now() + 60 })],
    ['without an id', () => ({ jti: undefined })],
    ['with an empty id', () => ({ jti: '' })],
    ['with an id that is no text', () => ({ jti: 7 })],
  ])('is refused %s', async (_name, claims) => {
    expect(outcome(await exchange(await batch.assert(claims())))).toEqual(INVALID_CLIENT)
  })

  it('is accepted when it is valid for an hour', async () => {
    expect(outcome(await exchange(await batch.assert({ exp: now() + 3540 })))).toEqual(GRANTED)
  })

  it('is refused for another client than the request names', async () => {
    const other = await exchange({ ...(await batch.assert()), client_id: 'orders-service' })
    expect(outcome(other)).toEqual([400, 'invalid_request', 'client_id mismatch'])
    const subject = await exchange({
      ...(await batch.assert({ sub: 'orders-service' })),
      client_id: undefined,
    })
    expect(outcome(subject)).toEqual(INVALID_CLIENT)
  })

  it('counts once, however many requests bring it together', async () => {
    const form = await batch.assert()
    const answers = await Promise.all(Array.from({ length: 8 }, () => exchange(form)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(401)])
    expect(outcome(await exchange(form))).toEqual(INVALID_CLIENT)
  })

  it('may have the id of another client’s assertion', async () => {
    const other = await registerKey('namesake')
    const jti = crypto.randomUUID()
    expect(outcome(await exchange(await batch.assert({ jti })))).toEqual(GRANTED)
    expect(outcome(await exchange(await other.assert({ jti })))).toEqual(GRANTED)
  })

  it('is for clients that registered a key, and for no others', async () => {
    for (const clientId of ['notebook', 'orders-service', 'nobody']) {
      const { assert } = await createAssertionKey(clientId, ISSUER)
      expect(outcome(await exchange(await assert()))).toEqual(INVALID_CLIENT)
    }
    const secret = { client_id: 'batch', client_secret: 'x'.repeat(40) }
    expect(outcome(await exchange(secret))).toEqual(INVALID_CLIENT)
    expect(outcome(await exchange({ client_id: 'batch' }))).toEqual(INVALID_CLIENT)
  })
})

describe('section 3, the signature', () => {
  it.each(['ES256', 'PS256', 'RS256', 'EdDSA'])('may be made with %s, as the metadata say', async (alg) => {
    const { assert } = await registerKey(`signs-${alg}`, { alg, kid: 'k' })
    expect(outcome(await exchange(await assert()))).toEqual(GRANTED)
  })

  it.each(['ES384', 'RS512', 'PS384'])('may not be made with %s', async (alg) => {
    const { assert } = await registerKey(`signs-${alg}`, { alg, kid: 'k' })
    expect(outcome(await exchange(await assert()))).toEqual(INVALID_CLIENT)
  })

  it('is made by a key of the client', async () => {
    await registerKey('robbed')
    const thief = await createAssertionKey('robbed', ISSUER)
    expect(outcome(await exchange(await thief.assert()))).toEqual(INVALID_CLIENT)
  })

  it('is made with the algorithm that its key is for', async () => {
    const key = await createAssertionKey('pinned', ISSUER, { alg: 'PS256', kid: 'k' })
    await register('pinned', { jwks: { keys: [{ ...key.jwk, alg: 'RS256' }] } })
    expect(outcome(await exchange(await key.assert()))).toEqual(INVALID_CLIENT)
  })

  it('is made with a key that is for signatures', async () => {
    const key = await createAssertionKey('encrypting', ISSUER)
    await register('encrypting', { jwks: { keys: [{ ...key.jwk, use: 'enc' }] } })
    expect(outcome(await exchange(await key.assert()))).toEqual(INVALID_CLIENT)
  })

  const forge = (header: object, signature: string): Record<string, string> => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: 'robbed', sub: 'robbed', aud: ISSUER, jti: crypto.randomUUID(), exp: now() + 60 }
    return {
      client_id: 'robbed',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${encode(header)}.${encode(claims)}.${signature}`,
    }
  }

  it.each([
    ['no algorithm', { alg: 'none' }],
    ['a symmetric algorithm', { alg: 'HS256' }],
    ['an algorithm that is no text', { alg: 7 }],
    ['an extension nobody understands', { alg: 'ES256', crit: ['x'], x: 1 }],
  ])('is none with %s', async (_name, header) => {
    expect(outcome(await exchange(forge(header, 'AAAA')))).toEqual(INVALID_CLIENT)
  })

  it.each(['', 'x', 'a.b', 'a.b.c', 'a.b.c.d', '\0', '🐘.🐘.🐘'])(
    'is no fault when the assertion is %j',
    async (client_assertion) => {
      const answer = await exchange({ ...forge({ alg: 'ES256' }, ''), client_assertion })
      expect([400, 401]).toContain(answer.status)
    },
  )
})

describe('RFC 7521 section 4.2, the request', () => {
  let batch: AssertionKey
  beforeAll(async () => {
    batch = await registerKey('asking')
  })

  it('says what kind of assertion it is', async () => {
    for (const client_assertion_type of [
      undefined,
      'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    ]) {
      const answer = await exchange({ ...(await batch.assert()), client_assertion_type })
      expect(outcome(answer).slice(0, 2)).toEqual([400, 'invalid_request'])
    }
  })

  it('has one assertion', async () => {
    const form = await batch.assert()
    const twice = { ...form, client_assertion: [String(form['client_assertion']), 'x'] }
    expect(outcome(await exchange(twice)).slice(0, 2)).toEqual([400, 'invalid_request'])
  })

  it('has no other client authentication beside it', async () => {
    const both = await exchange({ ...(await batch.assert()), client_secret: 'x' })
    expect(outcome(both).slice(0, 2)).toEqual([400, 'invalid_request'])
    const form = { ...(await batch.assert()), client_id: undefined }
    const header = await exchange(form, { Authorization: ORDERS_BASIC })
    expect(outcome(header).slice(0, 2)).toEqual([400, 'invalid_request'])
  })
})

describe('keys at jwks_uri', () => {
  let host: Server
  let asked: string[]
  /** What stands at each path; a status when that is all. */
  const documents = new Map<string, unknown>()
  beforeAll(async () => {
    asked = []
    host = createServer(({ url = '' }, response) => {
      asked.push(url)
      const document = documents.get(url)
      if (typeof document === 'number') response.writeHead(document, { Location: '/good' }).end()
      else response.end(JSON.stringify(document))
    })
    await new Promise<void>((resolve) => host.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    host.closeAllConnections()
    await new Promise((resolve) => host.close(resolve))
  })

  const urlOf = (path: string): string => `http://127.0.0.1:${(host.address() as AddressInfo).port}${path}`
  const UNAVAILABLE = [503, 'temporarily_unavailable', 'try again later']

  it('authenticate the client, fetched once for all its requests', async () => {
    const key = await createAssertionKey('published', ISSUER)
    documents.set('/published', { keys: [key.jwk] })
    await register('published', { jwks_uri: urlOf('/published') })
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => outcome(await exchange(await key.assert()))),
    )
    expect(answers).toEqual(Array(8).fill(GRANTED))
    expect(asked.filter((path) => path === '/published')).toHaveLength(1)
  })

  it('are not asked for by whoever brings no assertion', async () => {
    await register('silent', { jwks_uri: urlOf('/silent') })
    expect(outcome(await exchange({ client_id: 'silent' }))).toEqual(INVALID_CLIENT)
    expect(outcome(await exchange({ client_id: 'silent', client_secret: 'x' }))).toEqual(INVALID_CLIENT)
    expect(asked).not.toContain('/silent')
  })

  it('are asked for once however many made-up keys are named', async () => {
    const key = await createAssertionKey('flooded', ISSUER)
    documents.set('/flooded', { keys: [key.jwk] })
    await register('flooded', { jwks_uri: urlOf('/flooded') })
    for (let made = 0; made < 5; made++) {
      const form = await key.assert({}, { kid: `made-up-${made}` })
      expect(outcome(await exchange(form))).toEqual(INVALID_CLIENT)
    }
    expect(outcome(await exchange(await key.assert()))).toEqual(GRANTED)
    expect(asked.filter((path) => path === '/flooded')).toHaveLength(1)
  })

  it.each<[string, unknown, string]>([
    ['nothing', 404, 'the answer is 404'],
    ['a redirect', 302, 'the answer is 302'],
    ['no JWK Set', { kid: 'x' }, 'the answer is no JWK Set'],
    ['a symmetric key', { keys: [{ kty: 'oct', k: 'AAAA' }] }, 'the JWK Set has a private or symmetric key'],
    ['too much', { keys: [], filler: 'x'.repeat(65_536) }, 'the answer has more than 65536 bytes'],
  ])('are away when there is %s: nobody can tell, and the log knows why', async (name, document, cause) => {
    const id = `away-${name.replaceAll(' ', '-')}`
    const key = await createAssertionKey(id, ISSUER)
    const path = `/${id}?who=knows`
    documents.set(path, document)
    documents.set('/good', { keys: [key.jwk] })
    await register(id, { jwks_uri: urlOf(path) })
    const answers = [await exchange(await key.assert()), await exchange(await key.assert())]
    expect(answers.map(outcome)).toEqual([UNAVAILABLE, UNAVAILABLE])
    expect(answers[0]?.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(asked.filter((one) => one === path)).toHaveLength(1)
    expect(asked).not.toContain('/good')
    const lines = readFileSync(acme.logPath, 'utf8')
      .split('\n')
      .filter((line) => line.includes(urlOf(`/${id}`)))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'warn',
      msg: 'client keys not fetched',
      url: urlOf(`/${id}`),
      err: { message: cause },
    })
  })

  it.each(['https://127.0.0.1.nip.invalid/jwks', 'https://169.254.169.254/jwks', 'https://[::1]/jwks'])(
    'are not fetched from %s, which is not allowed',
    async (jwks_uri) => {
      const id = `refused-${jwks_uri.replaceAll(/\W/g, '-')}`
      await register(id, { jwks_uri })
      const { assert } = await createAssertionKey(id, ISSUER)
      expect(outcome(await exchange(await assert()))).toEqual(UNAVAILABLE)
    },
  )

  it('take the place of inline ones at the next exchange, and the other way round', async () => {
    const [inline, published] = [
      await registerKey('moving'),
      await createAssertionKey('moving', ISSUER, { alg: 'ES256', kid: 'moved' }),
    ]
    documents.set('/moving', { keys: [published.jwk] })
    const works = async () =>
      Promise.all([inline, published].map(async ({ assert }) => (await exchange(await assert())).status))
    const patch = (keys: object) => callApi(acme.url, acme.adminToken, 'PATCH', '/clients/moving', keys)
    expect(await works()).toEqual([200, 401])
    const moved = await patch({ jwks_uri: urlOf('/moving') })
    expect(moved.json).toMatchObject({ jwks: null, jwks_uri: urlOf('/moving') })
    expect(await works()).toEqual([401, 200])
    expect((await patch({ jwks: { keys: [inline.jwk] }, jwks_uri: urlOf('/moving') })).status).toBe(400)
    const back = await patch({ jwks: { keys: [inline.jwk] } })
    expect(back.json).toMatchObject({ jwks: { keys: [inline.jwk] }, jwks_uri: null })
    expect(await works()).toEqual([200, 401])
  })
})

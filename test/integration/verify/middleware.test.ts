// One table of requests against every framework the library has middleware for, over HTTP: the same bytes from each.

import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { createVerifier, describeResource } from '../../../src/verify/index.ts'
import type { IncomingRequest } from '../../../src/verify/read-authorization.ts'
import { athOf, createProofKey } from '../../support/dpop.ts'
import { FRAMEWORKS, type Framework, serveGuarded } from '../../support/guarded-services.ts'
import {
  AUDIENCE,
  CLAIMS,
  createSigningKey,
  ISSUER,
  NOW,
  NOW_SECONDS,
  signToken,
  stubFetch,
} from '../../unit/verify/issuer-fixture.ts'

const metadata = describeResource({ resource: `${AUDIENCE}/orders`, issuers: [ISSUER] })
const METADATA = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/orders"'
const SHARED = `realm="orders", ${METADATA}`

const verifierWith = (fetch = stubFetch()) =>
  createVerifier({ issuer: ISSUER, audience: AUDIENCE, statusList: null, dpop: null, fetch, now: () => NOW })

const bearer = async (changes: object = {}): Promise<string[]> => [
  'Authorization',
  `Bearer ${await signToken({ ...CLAIMS, scope: 'orders:read', ...changes })}`,
]

interface Sent {
  readonly method?: string
  readonly path?: string
  /** Names and values in turn, so that one can come twice. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** What came back, with the headers that are about the token; those not there are null. */
async function send(url: string, { method = 'GET', path = '/orders', headers = [], body = '' }: Sent) {
  const length = body === '' ? [] : ['Content-Length', String(body.length)]
  const sent = request(url + path, {
    method,
    headers: ['Host', 'evil.example', ...headers, ...length],
    agent: false,
  })
  sent.end(body)
  const [response] = await once(sent, 'response')
  return {
    status: response.statusCode,
    challenge: response.headers['www-authenticate'] ?? null,
    retryAfter: response.headers['retry-after'] ?? null,
    cacheControl: response.headers['cache-control'] ?? null,
    type: response.headers['content-type'] ?? null,
    body: await text(response),
  }
}

const refusal = (
  status: number,
  challenge: string | null,
  body: object,
  retryAfter: string | null = null,
) => ({
  status,
  challenge,
  retryAfter,
  cacheControl: 'no-store',
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
})

const MISSING = refusal(401, `Bearer ${SHARED}`, {})
const refused = (status: number, error: string, description: string) =>
  refusal(status, `Bearer ${SHARED}, error="${error}", error_description="${description}"`, {
    error,
    error_description: description,
  })
const invalidToken = (description: string) => refused(401, 'invalid_token', description)
const invalidRequest = (description: string) => refused(400, 'invalid_request', description)
const insufficientScope = (scope: string) =>
  refusal(403, `Bearer ${SHARED}, error="insufficient_scope", scope="${scope}"`, {
    error: 'insufficient_scope',
    error_description: 'The token does not hold the scope this takes',
  })

const token = (await bearer())[1]?.slice('Bearer '.length) ?? ''
const stranger = await createSigningKey('ES256', 'key-ES256')
const forged = `Bearer ${await signToken(CLAIMS, {}, stranger)}`

interface Refused extends Sent {
  readonly name: string
  readonly answer: object
}

const REFUSED: readonly Refused[] = [
  { name: 'without a token', answer: MISSING },
  { name: 'with another scheme', headers: ['Authorization', 'Basic amFuZTpzZWNyZXQ='], answer: MISSING },
  { name: 'with a token in the query', path: `/orders?access_token=${token}`, answer: MISSING },
  {
    name: 'with a token in the body',
    headers: ['Content-Type', 'application/x-www-form-urlencoded'],
    body: `access_token=${token}`,
    answer: MISSING,
  },
  { name: 'with a token in a cookie', headers: ['Cookie', `access_token=${token}`], answer: MISSING },
  {
    name: 'with a scheme and no token',
    headers: ['Authorization', 'Bearer'],
    answer: invalidRequest('The Authorization header is malformed'),
  },
  {
    name: 'with two tokens in one header',
    headers: ['Authorization', `Bearer ${token} ${token}`],
    answer: invalidRequest('The Authorization header is malformed'),
  },
  {
    name: 'with something that is no JWT',
    headers: ['Authorization', 'Bearer pat'],
    answer: invalidToken('The token is not a JWT'),
  },
  {
    name: 'with a token signed by a stranger',
    headers: ['Authorization', forged],
    answer: invalidToken('The signature of the token is not valid'),
  },
  {
    name: 'with a token that has expired',
    headers: await bearer({ exp: NOW_SECONDS - 6 }),
    answer: invalidToken('The token has expired'),
  },
  {
    name: 'with a token for somebody else',
    headers: await bearer({ aud: 'https://other.example.com' }),
    answer: invalidToken('The token is for another audience'),
  },
  {
    name: 'for an order the token is not for',
    path: '/orders/17',
    headers: await bearer({ scope: 'orders/18:read orders:write' }),
    answer: insufficientScope('orders/17:read'),
  },
  {
    name: 'for what no scope can name',
    path: '/orders/17:read%20orders%2f18',
    headers: await bearer(),
    answer: refused(403, 'insufficient_scope', 'No token can hold the scope this takes'),
  },
  {
    name: 'for a wildcard',
    path: '/orders/*',
    headers: await bearer({ scope: 'orders/*:read' }),
    answer: refused(403, 'insufficient_scope', 'No token can hold the scope this takes'),
  },
]

describe.each(FRAMEWORKS)('the middleware for %s', (framework: Framework) => {
  const options = { verifier: verifierWith(), realm: 'orders', metadata }
  const ask = async (sent: Sent, changes: object = {}) => {
    await using service = await serveGuarded(framework, { ...options, ...changes })
    const answer = await send(service.url, sent)
    return { ...answer, faults: service.faults }
  }

  it('hands on the claims of a good token, by whatever case of the scheme', async () => {
    await using service = await serveGuarded(framework, options)
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      const { status, body } = await send(service.url, { headers: ['Authorization', `${scheme} ${token}`] })
      expect([status, JSON.parse(body)]).toEqual([200, { sub: CLAIMS.sub, scope: 'orders:read' }])
    }
  })

  it('lets on who holds the scope of the very order, or of all orders', async () => {
    await using service = await serveGuarded(framework, options)
    for (const scope of ['orders:read', 'orders/17:read', 'orders/16:read orders/17:read']) {
      const { status } = await send(service.url, { path: '/orders/17', headers: await bearer({ scope }) })
      expect([scope, status]).toEqual([scope, 200])
    }
  })

  it.each(REFUSED)('refuses a request $name', async ({ answer, ...sent }) => {
    expect(await ask(sent)).toEqual({ ...answer, faults: [] })
  })

  it('refuses a request with two Authorization headers, both of them good', async () => {
    const headers = [...(await bearer()), ...(await bearer())]
    // `Headers` of the Fetch API makes one of the two.
    const joins = framework === 'fetch' || framework === 'hono'
    const problem = joins
      ? 'The Authorization header is malformed'
      : 'The request has two Authorization headers'
    expect(await ask({ headers })).toEqual({ ...invalidRequest(problem), faults: [] })
  })

  it('answers HEAD as GET, without the body', async () => {
    expect(await ask({ method: 'HEAD' })).toEqual({ ...MISSING, body: '', faults: [] })
  })

  it('answers 503 with Retry-After and no challenge while the keys cannot be had', async () => {
    const verifier = verifierWith(stubFetch('not a key set'))
    const unavailable = refusal(
      503,
      null,
      { error: 'temporarily_unavailable', error_description: 'The keys of the issuer are not available' },
      '5',
    )
    expect(await ask({ headers: await bearer() }, { verifier })).toEqual({ ...unavailable, faults: [] })
  })

  it("leaves what is not the token's fault to the error handling of the service", async () => {
    const answer = await ask({ path: '/orders/broken', headers: await bearer() })
    expect([answer.status, JSON.parse(answer.body)]).toEqual([500, { error: 'handled by the service' }])
    expect(answer.faults).toEqual([new Error('the database is away')])
    expect(await ask({ path: '/orders/broken' })).toEqual({ ...MISSING, faults: [] })
  })

  it('says nothing of a realm or metadata that the service does not name', async () => {
    const answer = await ask({}, { realm: undefined, metadata: undefined })
    expect(answer).toEqual({ ...MISSING, challenge: 'Bearer', faults: [] })
  })

  it('gives the verifier the URL that clients see, whatever the Host header says', async () => {
    const seen: IncomingRequest[] = []
    const verifier = {
      takesDpop: true,
      verifyRequest: async (given: IncomingRequest) => {
        seen.push(given)
        return CLAIMS
      },
    }
    const headers = ['Authorization', 'DPoP token', 'DPoP', 'one', 'DPoP', 'two']
    await ask({ path: '/orders?page=2', headers }, { verifier, publicUrl: 'https://api.example.com/v1/' })
    const joins = framework === 'fetch' || framework === 'hono'
    expect(seen).toEqual([
      {
        method: 'GET',
        url: 'https://api.example.com/v1/orders?page=2',
        authorization: joins ? 'DPoP token' : ['DPoP token'],
        dpop: joins ? 'one, two' : ['one', 'two'],
      },
    ])
  })

  it('takes a token that is bound to a key with a proof for the URL that clients see, and no other', async () => {
    const key = await createProofKey()
    const bound = await signToken({ ...CLAIMS, scope: 'orders:read', cnf: { jkt: key.thumbprint } })
    const verifier = createVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      statusList: null,
      fetch: stubFetch(),
      now: () => NOW,
    })
    const askFor = async (htu: string) => {
      const proof = await key.prove({ htm: 'GET', htu, iat: NOW_SECONDS, ath: athOf(bound) })
      const headers = ['Authorization', `DPoP ${bound}`, 'DPoP', proof]
      return ask({ headers }, { verifier, publicUrl: 'https://api.example.com/v1' })
    }
    expect((await askFor('https://api.example.com/v1/orders')).status).toBe(200)
    // The URL that the Host header would make of it.
    const { status, challenge } = await askFor('http://evil.example/orders')
    expect([status, challenge]).toEqual([
      401,
      expect.stringMatching(
        /^DPoP realm="orders", resource_metadata="[^"]+", error="invalid_dpop_proof", error_description="[^"]+", algs="ES256 /,
      ),
    ])
  })
})

import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { type ExchangeRequest, exchangeCredential } from '../../../src/cli/exchange-client.ts'
import {
  answerJson,
  CANARY,
  findClosedOrigin,
  JWT,
  PAT,
  RESPONSE,
  serveTokenEndpoint,
} from './token-endpoint-fixture.ts'

const TRANSPORT = { fetch, timeoutMs: 5_000, userAgent: 'patmint-cli/1.2.3' }

async function exchangeAt(issuer: string, request: Partial<ExchangeRequest> = {}, timeoutMs = 5_000) {
  const whole = { issuer, credential: CANARY, audiences: [], scopes: [], ...request }
  const result = await exchangeCredential(whole, { ...TRANSPORT, timeoutMs })
  expect(JSON.stringify(result)).not.toContain(CANARY.revealSecret())
  return result
}

async function exchangeWith(answer: (response: ServerResponse) => void, timeoutMs = 5_000) {
  await using endpoint = await serveTokenEndpoint(answer)
  return await exchangeAt(endpoint.issuer, {}, timeoutMs)
}

describe('the request', () => {
  it('is the exchange of RFC 8693 section 2.1, with every audience, and the scopes in one parameter', async () => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    await exchangeAt(endpoint.issuer, {
      audiences: ['https://api.example.com', 'https://b.example.com'],
      scopes: ['models:read', 'models/m1:write'],
    })
    expect(endpoint.seen).toHaveLength(1)
    const [request] = endpoint.seen
    expect(request?.method).toBe('POST')
    expect(request?.url).toBe('/oauth2/token')
    expect(request?.headers['content-type']).toBe('application/x-www-form-urlencoded;charset=UTF-8')
    expect(request?.headers['user-agent']).toBe('patmint-cli/1.2.3')
    expect(request?.headers.accept).toBe('application/json')
    expect(request?.headers.authorization).toBeUndefined()
    expect(request?.body).toBe(
      'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&client_id=patmint-cli' +
        `&subject_token=${PAT}&subject_token_type=urn%3Apatmint%3Atoken-type%3Apat` +
        '&audience=https%3A%2F%2Fapi.example.com&audience=https%3A%2F%2Fb.example.com' +
        '&scope=models%3Aread+models%2Fm1%3Awrite',
    )
  })

  it('leaves audience and scope out when none is asked for', async () => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    await exchangeAt(endpoint.issuer)
    expect([...new URLSearchParams(endpoint.seen[0]?.body).keys()]).toEqual([
      'grant_type',
      'client_id',
      'subject_token',
      'subject_token_type',
    ])
  })

  it.each([
    ['/tenant', '/tenant/oauth2/token'],
    ['/tenant/', '/tenant/oauth2/token'],
    ['/', '/oauth2/token'],
  ])('goes below the issuer path %s', async (path, url) => {
    await using endpoint = await serveTokenEndpoint(answerJson(200, RESPONSE))
    await exchangeAt(endpoint.issuer + path)
    expect(endpoint.seen[0]?.url).toBe(url)
  })
})

describe('the answer', () => {
  it('is the response with every member', async () => {
    const body = { ...RESPONSE, subject_token_expires_in: 86_400 }
    expect(await exchangeWith(answerJson(200, body))).toEqual({ ok: true, value: body })
  })

  it('may spell the token type in any case', async () => {
    const body = { ...RESPONSE, token_type: 'bearer' }
    expect(await exchangeWith(answerJson(200, body))).toEqual({ ok: true, value: body })
  })

  it.each([
    {},
    [],
    null,
    'text',
    { ...RESPONSE, access_token: undefined },
    { ...RESPONSE, access_token: 'not a jwt' },
    { ...RESPONSE, access_token: `${JWT}\nsecond line` },
    { ...RESPONSE, token_type: 'DPoP' },
    { ...RESPONSE, token_type: undefined },
  ])('is not a token when it is 200 with %j', async (body) => {
    expect(await exchangeWith(answerJson(200, body))).toEqual({
      ok: false,
      error: { reason: 'unexpected', detail: 'it answered 200 without a bearer JWT' },
    })
  })

  it('is a refusal with the words of the server', async () => {
    const body = { error: 'invalid_target', error_description: 'audience is not permitted' }
    expect(await exchangeWith(answerJson(400, body))).toEqual({
      ok: false,
      error: {
        reason: 'refused',
        status: 400,
        error: 'invalid_target',
        description: 'audience is not permitted',
      },
    })
  })

  it('is a refusal without words when it is no OAuth error', async () => {
    const expected = { ok: false, error: { reason: 'refused', status: 404 } }
    expect(await exchangeWith((response) => response.writeHead(404).end('<html>'))).toEqual(expected)
    expect(await exchangeWith(answerJson(404, { error: 7, error_description: {} }))).toEqual(expected)
  })

  it.each([429, 500, 502, 503])('is busy, not a refusal, with status %d', async (status) => {
    const body = { error: 'temporarily_unavailable' }
    expect(await exchangeWith(answerJson(status, body, { 'retry-after': '7' }))).toEqual({
      ok: false,
      error: { reason: 'busy', status, retryAfter: '7' },
    })
  })

  it.each([301, 302, 307, 308])('is not followed elsewhere by status %d', async (status) => {
    await using elsewhere = await serveTokenEndpoint(answerJson(200, RESPONSE))
    const result = await exchangeWith(
      answerJson(status, {}, { location: `${elsewhere.issuer}/oauth2/token` }),
    )
    expect(result).toEqual({ ok: false, error: { reason: 'unexpected', detail: `it answered ${status}` } })
    expect(elsewhere.seen).toEqual([])
  })

  it.each([200, 400])('is given up on when it is too long, with status %d', async (status) => {
    expect(await exchangeWith(answerJson(status, { ...RESPONSE, padding: 'x'.repeat(262_144) }))).toEqual({
      ok: false,
      error: { reason: 'unreachable', detail: 'there is more than 262144 bytes of it' },
    })
  })
})

describe('no answer', () => {
  it('from a closed port is unreachable', async () => {
    expect(await exchangeAt(await findClosedOrigin())).toEqual({
      ok: false,
      error: { reason: 'unreachable', detail: 'ECONNREFUSED' },
    })
  })

  it('from a server that hangs is unreachable', async () => {
    expect(await exchangeWith(() => {}, 50)).toEqual({
      ok: false,
      error: { reason: 'unreachable', detail: 'no answer within 0.05 s' },
    })
  })

  it('from a server that hangs in the middle is unreachable', async () => {
    expect(await exchangeWith((response) => response.write('{'), 100)).toEqual({
      ok: false,
      error: { reason: 'unreachable', detail: 'no answer within 0.1 s' },
    })
  })

  it('from a server that hangs up is unreachable', async () => {
    expect(await exchangeWith((response) => response.destroy())).toMatchObject({
      ok: false,
      error: { reason: 'unreachable' },
    })
  })
})

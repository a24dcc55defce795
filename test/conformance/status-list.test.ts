// Token Status List, draft-ietf-oauth-status-list-21: the reference in access tokens, the Status List Token and how it is
// given out, and the aggregation. How soon a list tells what, `test/integration/status` shows.

import { request } from 'node:http'
import { gunzipSync, inflateSync } from 'node:zlib'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, REPORTS, startAcme } from '../support/acme.ts'
import { requestExchange, requestRevocation } from '../support/requests.ts'
import { ISSUER } from '../support/test-server.ts'

const LISTS = '/oauth2/status-lists'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(acme.url + path, { headers })

interface Received {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

/** As it is sent: `fetch` would ask for a compressed answer by itself, and unpack it. */
function receive(method: string, path: string, headers: Record<string, string> = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const sent = request(acme.url + path, { method, headers }, async (response) => {
      const chunks = await response.toArray()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
    })
    sent.on('error', reject).end()
  })
}

async function verifyList(token: string) {
  const keys = (await (await get('/.well-known/jwks.json')).json()) as JSONWebKeySet
  return jwtVerify(token, createLocalJWKSet(keys), { typ: 'statuslist+jwt', algorithms: ['ES256'] })
}

async function makeToken(name: string): Promise<{ pat: string; reference: unknown }> {
  const pat = await acme.issue('sam@acme.test', { name })
  const answer = await requestExchange(acme.url, { subject_token: pat, audience: REPORTS })
  const status = decodeJwt(String(answer.json['access_token']))['status'] as Record<string, unknown>
  return { pat, reference: status['status_list'] }
}

describe('section 6.2, the referenced token', () => {
  it('says its list and its place in it; all tokens of a credential have one, others another', async () => {
    const one = await makeToken('one')
    expect(one.reference).toEqual({ idx: expect.any(Number), uri: `${ISSUER}${LISTS}/0` })
    const again = await requestExchange(acme.url, { subject_token: one.pat, audience: REPORTS })
    expect(decodeJwt(String(again.json['access_token']))['status']).toEqual({ status_list: one.reference })
    expect((await makeToken('other')).reference).not.toEqual(one.reference)
  })
})

describe('section 5.1, the Status List Token', () => {
  it('has typ, sub, iat, exp, ttl and status_list, and is signed by a key of the JWKS', async () => {
    const answer = await get(`${LISTS}/0`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/statuslist+jwt'])
    const { payload, protectedHeader } = await verifyList(await answer.text())
    expect(protectedHeader).toEqual({ typ: 'statuslist+jwt', alg: 'ES256', kid: expect.any(String) })
    expect(payload).toEqual({
      sub: `${ISSUER}${LISTS}/0`,
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 600,
      ttl: 30,
      status_list: { bits: 2, lst: expect.stringMatching(/^[\w-]+$/) },
    })
    expect(Math.abs((payload.iat ?? 0) - Date.now() / 1000)).toBeLessThan(60)
  })
})

describe('section 4, the list', () => {
  it('has 2^20 entries of 2 bits, and a revoked credential is INVALID there', async () => {
    const { pat, reference } = await makeToken('found in a log')
    expect((await requestRevocation(acme.url, { token: pat })).status).toBe(200)
    const later = new Date(Date.now() + 30_000)
    acme.setClock(() => later)
    const { status_list: list } = decodeJwt(await (await get(`${LISTS}/0`)).text())
    acme.setClock(() => new Date())
    const bytes = inflateSync(Buffer.from((list as { lst: string }).lst, 'base64url'))
    expect(bytes).toHaveLength(2 ** 18)
    const { idx } = reference as { idx: number }
    const expected = Buffer.alloc(2 ** 18)
    expected[Math.floor(idx / 4)] = 1 << (2 * (idx % 4))
    // Nothing else was ever stopped here.
    expect(bytes.equals(expected)).toBe(true)
  })
})

describe('section 8.1, the request', () => {
  it.each(['application/statuslist+jwt', '*/*', 'application/statuslist+cwt'])(
    'gets a JWT, whatever it accepts: %s',
    async (Accept) => {
      const answer = await get(`${LISTS}/0`, { Accept })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/statuslist+jwt'])
    },
  )

  it('may come from a page of any origin', async () => {
    for (const path of [LISTS, `${LISTS}/0`, `${LISTS}/1`])
      expect((await get(path)).headers.get('access-control-allow-origin')).toBe('*')
  })

  it.each(['1', '01', '00', '-1', '1.0', '1e0', '0x0', '999999999', '9999999999', '0x'])(
    'for a list there is none of finds nothing: %s',
    async (list) => {
      const answer = await get(`${LISTS}/${list}`)
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'no-store'])
      expect(await answer.json()).toEqual({
        type: 'about:blank',
        title: 'Not found',
        status: 404,
        code: 'not_found',
      })
    },
  )
})

describe('section 8.2, the response', () => {
  it('is compressed for those who say so, and the same token', async () => {
    const plain = await receive('GET', `${LISTS}/0`)
    const gzipped = await receive('GET', `${LISTS}/0`, { 'Accept-Encoding': 'br, gzip;q=0.5' })
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(gzipped.headers['content-encoding']).toBe('gzip')
    for (const { headers } of [plain, gzipped]) expect(headers['vary']).toBe('Accept-Encoding')
    expect(gunzipSync(gzipped.body).equals(plain.body)).toBe(true)
    expect(gzipped.body.length).toBeLessThan(plain.body.length)
    expect((await receive('GET', `${LISTS}/0`, { 'Accept-Encoding': 'gzip;q=0' })).body).toEqual(plain.body)
  })

  it('is told to caches for half a ttl at most, and is not sent to who has it', async () => {
    const first = await receive('GET', `${LISTS}/0`)
    const [, maxAge] = /^public, max-age=(\d+)$/.exec(String(first.headers['cache-control'])) ?? []
    expect(Number(maxAge)).toBeGreaterThan(0)
    expect(Number(maxAge)).toBeLessThanOrEqual(15)
    const tag = String(first.headers['etag'])
    const again = await receive('GET', `${LISTS}/0`, { 'If-None-Match': tag })
    expect([again.status, again.body.length, again.headers['etag']]).toEqual([304, 0, tag])
    // What is compressed is another representation.
    const gzip = { 'Accept-Encoding': 'gzip' }
    const gzipped = await receive('GET', `${LISTS}/0`, { ...gzip, 'If-None-Match': tag })
    expect([gzipped.status, gzipped.headers['etag'] === tag]).toEqual([200, false])
  })

  it('to HEAD is the same without the list', async () => {
    const got = await receive('GET', `${LISTS}/0`)
    const head = await receive('HEAD', `${LISTS}/0`)
    expect([head.status, head.body.length]).toEqual([200, 0])
    for (const name of ['content-type', 'content-length', 'etag'])
      expect(head.headers[name]).toBe(got.headers[name])
  })
})

describe('section 8.4, another time than now', () => {
  it('has no list', async () => {
    const answer = await get(`${LISTS}/0?time=1686925000`)
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      501,
      'not_implemented',
    ])
  })
})

describe('section 9, the aggregation', () => {
  it('is where the metadata say, and names every list', async () => {
    const metadata = (await (await get('/.well-known/oauth-authorization-server')).json()) as Record<
      string,
      string
    >
    expect(metadata['status_list_aggregation_endpoint']).toBe(ISSUER + LISTS)
    const answer = await get(LISTS)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await answer.json()).toEqual({ status_lists: [`${ISSUER}${LISTS}/0`] })
  })
})

describe('the next list', () => {
  it('is there as soon as the first token stands in it', async () => {
    expect((await get(`${LISTS}/1`)).status).toBe(404)
    await sql`alter table credentials alter column status_index restart with 1048577`.execute(acme.db)
    const { reference } = await makeToken('first of the second list')
    expect(reference).toEqual({ idx: 1, uri: `${ISSUER}${LISTS}/1` })
    const { payload } = await verifyList(await (await get(`${LISTS}/1`)).text())
    expect(payload.sub).toBe(`${ISSUER}${LISTS}/1`)
    expect((await get(`${LISTS}/2`)).status).toBe(404)
    expect(await (await get(LISTS)).json()).toEqual({
      status_lists: [`${ISSUER}${LISTS}/0`, `${ISSUER}${LISTS}/1`],
    })
  })
})

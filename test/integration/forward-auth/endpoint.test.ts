// `/forward-auth` (contract section 5) over HTTP: the exchange of the token endpoint, asked for by a proxy.

import { randomBytes } from 'node:crypto'
import { request as sendRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../../src/protocol/credential.ts'
import { type Acme, API, mistype, ORDERS_BASIC, REPORTS, startAcme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { askForwardAuth, bearer, claimsOf, type ForwardAnswer } from '../../support/forward-auth.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { ISSUER } from '../../support/test-server.ts'

const MODELS = { audience: API, scope: 'models:read' }
const DEMAND = `Bearer realm="${ISSUER}"`
const INVALID = `${DEMAND}, error="invalid_token"`

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const ask = (query: string | Record<string, string>, headers?: Record<string, string>, method?: string) =>
  askForwardAuth(acme.url, query, headers, method)
const challengeOf = ({ headers }: Pick<ForwardAnswer, 'headers'>) => headers.get('www-authenticate')
const issue = () => acme.issue('sam@acme.test', { name: randomBytes(4).toString('hex') })
const exchange = async (pat: string, form: Record<string, string>): Promise<string> =>
  canary(String((await requestExchange(acme.url, { subject_token: pat, ...form })).json['access_token']))

const findRecord = (answer: ForwardAnswer) =>
  acme.db
    .selectFrom('audit_events')
    .select(['type', 'reason', 'client_id', 'credential_id', 'audiences', 'scopes', 'token_id'])
    .where('request_id', '=', answer.headers.get('x-request-id'))
    .executeTakeFirst()

describe('a credential that is good', () => {
  it('is answered with an access token for the audience and the scope, on record before it leaves', async () => {
    const answer = await ask(MODELS, bearer(acme.janePat))
    expect([answer.status, answer.text, answer.headers.get('cache-control')]).toEqual([200, '', 'no-store'])
    const claims = claimsOf(answer.token)
    expect(claims).toMatchObject({
      iss: ISSUER,
      aud: API,
      scope: 'models:read',
      client_id: 'patmint-forward-auth',
      cred: acme.janePat.slice(4, 20),
    })
    expect(await findRecord(answer)).toEqual({
      type: 'exchange.granted',
      reason: null,
      client_id: 'patmint-forward-auth',
      credential_id: acme.janePat.slice(4, 20),
      audiences: [API],
      scopes: ['models:read'],
      token_id: claims['jti'],
    })
  })

  it('gives what the token endpoint gives, by the same statements', async () => {
    const pat = await issue()
    await exchange(pat, MODELS)
    acme.takeQueries()
    const ofTokenEndpoint = claimsOf(await exchange(pat, { audience: REPORTS }))
    const statements = acme.takeQueries()
    const ofForwardAuth = claimsOf((await ask({ audience: REPORTS }, bearer(pat))).token)
    expect(acme.takeQueries()).toEqual(statements)
    const { jti: _, client_id: __, iat, exp, ...same } = ofTokenEndpoint
    expect(ofForwardAuth).toMatchObject(same)
    expect(Number(ofForwardAuth['exp']) - Number(ofForwardAuth['iat'])).toBe(Number(exp) - Number(iat))
  })

  it('gives every effective scope where the proxy names none', async () => {
    const { token } = await ask({ audience: API }, bearer(acme.janePat))
    expect(claimsOf(token)['scope']).toBe('datasets:read models:read')
  })

  it('may be an API key of an organization', async () => {
    const { json } = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/keys', {
      name: 'forward',
      role: 'engineer',
    })
    const { token } = await ask(MODELS, bearer(canary(String(json['token']))))
    expect(claimsOf(token)['sub']).toBe(`key:${String(json['id'])}`)
  })

  it('may be an access token of ours, which is exchanged and only ever narrowed', async () => {
    const token = await exchange(acme.samPat, { audience: API })
    const answer = await ask({ audience: API, scope: 'models/m1:read' }, bearer(token))
    expect(claimsOf(answer.token)).toMatchObject({ aud: API, scope: 'models/m1:read', exchanges: 2 })
    expect((await ask({ audience: REPORTS }, bearer(token))).status).toBe(403)
  })

  it('is taken by whatever method the proxy has in hand, and no body is waited for', async () => {
    for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH']) {
      const answer = await ask(MODELS, bearer(acme.janePat), method)
      expect([method, answer.status, claimsOf(answer.token)['aud']]).toEqual([method, 200, API])
    }
    const headers = { ...bearer(acme.janePat), 'Content-Length': '1000000' }
    const status = await new Promise((resolve, reject) => {
      const url = `${acme.url}/forward-auth?${new URLSearchParams(MODELS)}`
      const sent = sendRequest(url, { method: 'POST', headers }, (response) => {
        resolve(response.statusCode)
        sent.destroy()
      })
      sent.on('error', reject)
      sent.write('only the first of a million bytes')
    })
    expect(status).toBe(200)
  })

  it('is refused by the next request after it was revoked, and its owner can have it explained', async () => {
    const pat = await issue()
    expect((await ask(MODELS, bearer(pat))).status).toBe(200)
    await callApi(acme.url, pat, 'DELETE', `/tokens/${pat.slice(4, 20)}`)
    const answer = await ask(MODELS, bearer(pat))
    expect([answer.status, challengeOf(answer)]).toEqual([401, INVALID])
    expect(await findRecord(answer)).toMatchObject({
      type: 'exchange.refused',
      reason: 'credential_revoked',
      client_id: 'patmint-forward-auth',
      token_id: null,
    })
    const explained = await callApi(acme.url, acme.samPat, 'POST', '/exchange/explain', {
      credential: pat.slice(4, 20),
      client_id: 'patmint-forward-auth',
      ...MODELS,
    })
    expect(explained.json).toMatchObject({ outcome: 'refused', cause: 'credential_revoked' })
  })
})

describe('no credential', () => {
  it.each<[string, Record<string, string>]>([
    ['no header', {}],
    ['a cookie', { Cookie: 'access_token=x; Authorization=Bearer x' }],
    ['another scheme', { Authorization: ORDERS_BASIC }],
    ['the scheme DPoP', { Authorization: 'DPoP eyJhbGciOiJub25lIn0.e30.AA', DPoP: 'e30.e30.AA' }],
    ['a scheme alone', { Authorization: 'Bearer' }],
    ['an empty header', { Authorization: '' }],
  ])('is asked for without an error, and costs no statement: %s', async (_name, headers) => {
    acme.takeQueries()
    const answer = await ask(MODELS, headers)
    expect([answer.status, challengeOf(answer), answer.text]).toEqual([401, DEMAND, ''])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(acme.takeQueries()).toEqual([])
  })

  it('is what a token in the body is', async () => {
    const body = new URLSearchParams({ access_token: acme.janePat })
    const url = `${acme.url}/forward-auth?${new URLSearchParams(MODELS)}`
    const { status, headers } = await fetch(url, { method: 'POST', body })
    expect([status, headers.get('www-authenticate')]).toEqual([401, DEMAND])
  })
})

describe('a credential that does not work', () => {
  it('is refused with the same bytes, whatever is wrong with it', async () => {
    const random = (n: number) => randomBytes(n)
    const token = await exchange(acme.samPat, { audience: API })
    const revoked = await exchange(acme.samPat, { audience: API })
    await fetch(`${acme.url}/oauth2/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: revoked }),
    })
    const answers = [
      await ask(MODELS, { Authorization: 'Bearer garbage' }),
      await ask(MODELS, { Authorization: `Bearer ${acme.janePat} ${acme.janePat}` }),
      await ask(MODELS, bearer(mistype(acme.janePat))),
      await ask(MODELS, bearer(canary(generateCredential('personal', random).reveal()))),
      await ask(MODELS, bearer(`${token.slice(0, -4)}AAAA`)),
      await ask(MODELS, bearer(revoked)),
      await ask(MODELS, { ...bearer(acme.janePat), DPoP: 'e30.e30.AA' }),
      await askTwice(acme.janePat, acme.samPat),
    ]
    for (const answer of answers)
      expect([answer.status, challengeOf(answer), answer.text]).toEqual([
        401,
        INVALID,
        '{"error":"invalid_token","error_description":"the credential is not valid"}',
      ])
  })

  it('costs no statement as long as it is none by its form', async () => {
    acme.takeQueries()
    await ask(MODELS, bearer(mistype(acme.janePat)))
    expect(acme.takeQueries()).toEqual([])
  })
})

/** With two headers of one name, which `fetch` would join. */
const askTwice = (...credentials: string[]): Promise<Pick<ForwardAnswer, 'status' | 'headers' | 'text'>> =>
  new Promise((resolve, reject) => {
    const url = `${acme.url}/forward-auth?${new URLSearchParams(MODELS)}`
    const sent = sendRequest(url, (response) => {
      const headers = new Headers({ 'www-authenticate': String(response.headers['www-authenticate']) })
      let text = ''
      response
        .on('data', (chunk) => {
          text += String(chunk)
        })
        .on('end', () => resolve({ status: response.statusCode ?? 0, headers, text }))
    })
    sent.setHeader(
      'Authorization',
      credentials.map((credential) => `Bearer ${credential}`),
    )
    sent.on('error', reject).end()
  })

describe('a credential that is not enough', () => {
  it.each<[string, Record<string, string>, string, string]>([
    [
      'a scope that is not effective',
      { audience: API, scope: 'models:write' },
      'scope_exceeds',
      ', scope="models:write"',
    ],
    [
      'one of two scopes',
      { audience: API, scope: 'models:read x' },
      'scope_exceeds',
      ', scope="models:read x"',
    ],
    ['an audience it does not reach', { audience: REPORTS }, 'audience_not_permitted', ''],
    ['an audience nobody knows', { audience: 'https://nowhere.test' }, 'audience_not_permitted', ''],
  ])('is refused with 403, and with what is needed: %s', async (_name, query, reason, needed) => {
    const answer = await ask(query, bearer(acme.janePat))
    expect([answer.status, challengeOf(answer), answer.text]).toEqual([
      403,
      `${DEMAND}, error="insufficient_scope"${needed}`,
      '{"error":"insufficient_scope","error_description":"the credential does not give what is needed here"}',
    ])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await findRecord(answer)).toMatchObject({ type: 'exchange.refused', reason })
  })
})

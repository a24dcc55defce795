// RFC 9068, JWT profile for access tokens: header and claims of what is issued, for every algorithm.

import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SigningAlgorithm } from '../../src/protocol/access-token.ts'
import { type Acme, API, REPORTS, startAcme } from '../support/acme.ts'
import { requestExchange } from '../support/requests.ts'
import { ISSUER } from '../support/test-server.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

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
      await acme.db
        .updateTable('resource_servers')
        .set({ signing_alg: alg })
        .where('audience', '=', API)
        .execute()
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

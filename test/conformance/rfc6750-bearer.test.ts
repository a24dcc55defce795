// RFC 6750, bearer tokens: how the management API takes them, and how it refuses.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, mistype, startAcme } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { requestExchange } from '../support/requests.ts'
import { ISSUER, RESOURCE_METADATA } from '../support/test-server.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const call = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(`${acme.url}/api/v1${path}`, { ...init, headers })

async function exchange(subject_token: string, audience: string, scope?: string): Promise<string> {
  const { json } = await requestExchange(acme.url, { subject_token, audience, scope })
  return canary(String(json['access_token']))
}

describe('a bearer token (section 2)', () => {
  it('is taken from the Authorization header, whatever the case of the scheme (section 2.1)', async () => {
    const token = await exchange(acme.adaPat, `${ISSUER}/api`)
    for (const scheme of ['Bearer', 'bearer', 'BEARER'])
      for (const value of [acme.janePat, token])
        expect((await call('/me', { Authorization: `${scheme} ${value}` })).status).toBe(200)
  })

  it('is not taken from the form or the query (sections 2.2, 2.3)', async () => {
    const query = await call(`/me?access_token=${acme.janePat}`)
    const form = await call(
      '/tokens',
      {},
      {
        method: 'POST',
        body: new URLSearchParams({ access_token: acme.janePat }),
      },
    )
    expect([query.status < 500 && query.status >= 400, form.status]).toEqual([true, 415])
  })
})

describe('the challenge (section 3)', () => {
  it('says no error to a request without a token (section 3.1)', async () => {
    const answer = await call('/me')
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer ${RESOURCE_METADATA}`,
    ])
  })

  it('says invalid_token of one that is malformed, damaged, unknown, or for somebody else', async () => {
    const token = await exchange(acme.adaPat, `${ISSUER}/api`)
    for (const value of [
      'garbage',
      mistype(acme.janePat),
      `${token.slice(0, -4)}AAAA`,
      await exchange(acme.janePat, API),
    ]) {
      const answer = await call('/me', { Authorization: `Bearer ${value}` })
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        `Bearer error="invalid_token", ${RESOURCE_METADATA}`,
      ])
    }
  })

  it('says invalid_token of one that has expired', async () => {
    const token = await exchange(acme.adaPat, `${ISSUER}/api`)
    acme.setClock(() => new Date(Date.now() + 301_000))
    const answer = await call('/me', { Authorization: `Bearer ${token}` })
    acme.setClock(() => new Date())
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer error="invalid_token", ${RESOURCE_METADATA}`)
  })

  it('says insufficient_scope and which scope is missing', async () => {
    const token = await exchange(acme.adaPat, `${ISSUER}/api`, 'tokens:read')
    const answer = await call('/users', { Authorization: `Bearer ${token}` })
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="users:read", ${RESOURCE_METADATA}`,
    ])
  })
})

describe('what is answered to a bearer (section 5.3)', () => {
  it('is for no cache', async () => {
    const answer = await call('/me', { Authorization: `Bearer ${acme.janePat}` })
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })
})

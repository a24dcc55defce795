// What a proxy asks at `/forward-auth`: wrong, with something appended, or meant to break something.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { askForwardAuth, bearer, claimsOf } from '../../support/forward-auth.ts'
import { HOSTILE, MALFORMED_ENCODINGS } from '../../support/hostile.ts'
import { callApi } from '../../support/requests.ts'

const MODELS = { audience: API, scope: 'models:read' }

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const ask = (query: string | Record<string, string>, headers?: Record<string, string>) =>
  askForwardAuth(acme.url, query, headers)

describe('a question that is wrong', () => {
  const REQUEST = 'invalid_request'
  const UNKNOWN = 'the query may hold audience and scope, and nothing else'
  it.each([
    ['', REQUEST, 'audience is missing'],
    ['scope=models:read', REQUEST, 'audience is missing'],
    ['audience=', REQUEST, 'audience is malformed'],
    [`audience=${API}&audience=${API}`, REQUEST, 'audience must not be repeated'],
    [`audience=${API}&scope=`, REQUEST, 'scope is malformed'],
    [`audience=${API}&scope=a&scope=b`, REQUEST, 'scope must not be repeated'],
    [`audience=${API}&scope=%22`, 'invalid_scope', 'scope is malformed'],
    [`audience=${API}&scope=%20`, 'invalid_scope', 'scope is malformed'],
    [`audience=${API}&resource=${API}`, REQUEST, UNKNOWN],
    [`audience=${API}&Scope=a`, REQUEST, UNKNOWN],
    [`audience=${API}&access_token=x`, REQUEST, UNKNOWN],
    [`audience=${API}&__proto__=x`, REQUEST, UNKNOWN],
  ])(
    'is answered to whoever runs the proxy, with a credential or without: %s',
    async (query, error, said) => {
      for (const headers of [{}, bearer(acme.janePat)]) {
        const answer = await ask(query, headers)
        expect([answer.status, answer.json, answer.headers.get('www-authenticate')]).toEqual([
          400,
          { error, error_description: said },
          null,
        ])
        expect(answer.headers.get('cache-control')).toBe('no-store')
      }
    },
  )

  it('is one for a resource server whose tokens have to be bound to a key', async () => {
    const { json } = await callApi(acme.url, acme.adminToken, 'GET', `/resource-servers?audience=${API}`)
    const [{ id = '' } = {}] = json['items'] as { id?: string }[]
    const require = (isRequired: boolean) =>
      callApi(acme.url, acme.adminToken, 'PATCH', `/resource-servers/${id}`, { dpop_required: isRequired })
    await require(true)
    const answer = await ask(MODELS, bearer(acme.janePat))
    await require(false)
    expect([answer.status, answer.text]).toEqual([
      400,
      '{"error":"invalid_dpop_proof","error_description":"a DPoP proof is required"}',
    ])
  })
})

describe('what a proxy appends', () => {
  const question = new URLSearchParams(MODELS).toString()

  it.each([
    '/orders/7',
    '/orders/../orders/7',
    '/orders?scope=models:write',
    '/x&scope=models:write&audience=https://reports.example.com',
    '/x&original=/y&resource=z',
    '',
  ])('is not read: %s', async (tail) => {
    const { token } = await ask(`${question}&original=${tail}`, bearer(acme.janePat))
    expect(claimsOf(token)).toMatchObject({ aud: API, scope: 'models:read' })
  })

  it.each([
    ['/orders/7', 403],
    ['/orders?scope=models:write', 403],
    ['/orders?a=b&scope=models:write', 400],
    ['/orders?a=b&c=d', 400],
  ])('is refused where the proxy does not end its own question: %s', async (tail, status) => {
    const answer = await ask(question + tail, bearer(acme.samPat))
    expect([answer.status, answer.token]).toEqual([status, undefined])
  })
})

describe('hostile text', () => {
  const texts = HOSTILE.map(({ text }) => text).filter((text) => text.isWellFormed())

  it('in the query is no fault', async () => {
    const values = [...texts.filter((text) => text !== '').map(encodeURIComponent), ...MALFORMED_ENCODINGS]
    for (const value of values)
      for (const query of [`audience=${value}`, `audience=${API}&scope=${value}`, `${value}=x`]) {
        const { status } = await ask(query, bearer(acme.janePat))
        expect([query, status]).toEqual([query, expect.toBeOneOf([400, 403])])
      }
  })

  it('in the header is no credential', async () => {
    const values = texts.filter((text) => /^[\t\x20-\x7e\x80-\xff]+$/.test(text))
    for (const value of [...values, ...MALFORMED_ENCODINGS])
      for (const header of [value, `Bearer ${value}`, `Bearer ${acme.janePat}${value.trim() || '.'}`]) {
        const { status, token } = await ask(MODELS, { Authorization: header })
        expect([header, status, token]).toEqual([header, 401, undefined])
      }
  })
})

// RFC 9396, OAuth 2.0 Rich Authorization Requests, as far as a token request has a part in it.

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, REPORTS, startAcme } from '../support/acme.ts'
import { type Form, requestExchange } from '../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const exchange = (details: unknown, form: Form = {}) =>
  requestExchange(acme.url, {
    subject_token: acme.janePat,
    authorization_details: typeof details === 'string' ? details : JSON.stringify(details),
    ...form,
  })

const READ_M1 = { type: 'models', identifier: 'm1', actions: ['read'] }

describe('section 2, authorization_details in the request', () => {
  it('names its resource server by locations (section 2.2)', async () => {
    const answer = await exchange([{ ...READ_M1, locations: [API] }])
    expect(answer.status).toBe(200)
    expect(decodeJwt(String(answer.json['access_token'])).aud).toBe(API)
  })

  it('agrees with audience, or is refused', async () => {
    const located = [{ ...READ_M1, locations: [API] }]
    expect((await exchange(located, { audience: API })).status).toBe(200)
    const answer = await exchange(located, { audience: [API, REPORTS] })
    expect(answer.json['error']).toMatch(/^invalid_/)
  })

  it('may stand beside scope: both are granted', async () => {
    const answer = await exchange([READ_M1], { audience: API, scope: 'datasets:read' })
    expect(answer.json['scope']).toBe('datasets:read models/m1:read')
  })
})

describe('section 5, errors', () => {
  it.each([
    ['no JSON', '[{'],
    ['no array', READ_M1],
    ['empty', []],
    ['without a type', [{ actions: ['read'] }]],
    ['of an unknown type', [{ type: 'unicorns', actions: ['read'] }]],
    ['with an unknown member', [{ ...READ_M1, colour: 'red' }]],
    ['with a member of the wrong type', [{ ...READ_M1, actions: 'read' }]],
    ['without a member that is needed', [{ type: 'models' }]],
    ['wider than granted', [{ type: 'models', actions: ['read', 'destroy'] }]],
    ['of an entity that is no name', [{ ...READ_M1, identifier: '*' }]],
    ['at a location nobody knows', [{ ...READ_M1, locations: ['https://nowhere.example'] }]],
  ])('refuses details that are %s', async (_, details) => {
    const form = JSON.stringify(details).includes('nowhere') ? {} : { audience: API }
    const answer = await exchange(details, form)
    expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_authorization_details'])
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('refuses the parameter twice', async () => {
    const text = JSON.stringify([READ_M1])
    const answer = await requestExchange(acme.url, {
      subject_token: acme.janePat,
      audience: API,
      authorization_details: [text, text],
    })
    expect(answer.json).toEqual({
      error: 'invalid_request',
      error_description: 'authorization_details must not be repeated',
    })
  })
})

describe('section 7, the token response', () => {
  it('tells what was granted, with its locations', async () => {
    const answer = await exchange([READ_M1], { audience: API })
    expect(answer.json['authorization_details']).toEqual([{ ...READ_M1, locations: [API] }])
    expect(answer.json['scope']).toBe('models/m1:read')
  })

  it('has none when none were asked for', async () => {
    const answer = await requestExchange(acme.url, { subject_token: acme.janePat, audience: API })
    expect(answer.json).not.toHaveProperty('authorization_details')
  })
})

describe('section 9.1, the access token', () => {
  it('carries what was granted', async () => {
    const answer = await exchange([READ_M1], { audience: API })
    const claims = decodeJwt(String(answer.json['access_token']))
    expect(claims['authorization_details']).toEqual(answer.json['authorization_details'])
    expect(claims['scope']).toBe('models/m1:read')
  })
})

// RFC 6749, the token endpoint: client authentication (section 2.3), errors (section 5.2).

import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, ORDERS_BASIC, ORDERS_SECRET, startAcme } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { requestExchange } from '../support/requests.ts'
import { newDataDir } from '../support/server-process.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const exchange = (
  form: Record<string, string | readonly string[] | undefined>,
  headers?: Record<string, string>,
) => requestExchange(acme.url, { subject_token: acme.janePat, ...form }, headers)

const INVALID_CLIENT = { error: 'invalid_client', error_description: 'client authentication failed' }
const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

describe('section 2.3, client authentication', () => {
  it('accepts a public client by its id alone', async () => {
    expect((await exchange({ client_id: 'notebook' })).status).toBe(200)
  })

  it('accepts a secret in the Authorization header or in the body', async () => {
    expect((await exchange({ client_id: undefined }, { Authorization: ORDERS_BASIC })).status).toBe(200)
    expect((await exchange({ client_id: 'orders-service', client_secret: ORDERS_SECRET })).status).toBe(200)
  })

  it.each([
    ['a wrong secret in the header', basic('orders-service', 'wrong-secret-0123456789')],
    ['an unknown client', basic('nobody', 'wrong-secret-0123456789')],
    ['a public client with a secret', basic('patmint-cli', 'wrong-secret-0123456789')],
  ])('refuses %s with 401 and a challenge', async (_name, Authorization) => {
    const answer = await exchange({ client_id: undefined }, { Authorization })
    expect([answer.status, answer.json]).toEqual([401, INVALID_CLIENT])
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="https:\/\/sts\.example\.test"/)
  })

  it('decodes what the header holds as a form does (appendix B)', async () => {
    const [id, secret] = ['urn:x/y?z=1&a+b', canary('se:cret+with%3A "every" = thing & /')]
    const file = join(newDataDir(), 'client.yaml')
    const settings = {
      client_id: id,
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret: secret,
    }
    writeFileSync(file, JSON.stringify({ clients: [settings] }))
    await acme.apply([file])
    const send = async (encode: (text: string) => string) =>
      (await exchange({ client_id: undefined }, { Authorization: basic(encode(id), encode(secret)) })).status
    const asForm = (text: string): string => new URLSearchParams([[text, '']]).toString().slice(0, -1)
    expect([await send(asForm), await send(encodeURIComponent)]).toEqual([200, 200])
    // As it is, `+` means a blank and `:` ends the id.
    expect(await send((text) => text)).toBe(401)
    const twice = await send((text) => encodeURIComponent(encodeURIComponent(text)))
    expect(twice).toBe(401)
  })

  it.each([
    ['no base64', 'Basic %%%'],
    ['no colon', `Basic ${Buffer.from('orders-service').toString('base64')}`],
    ['broken percent-encoding', basic('orders-service', '%zz')],
    ['an empty secret', basic('orders-service', '')],
    ['another scheme', ORDERS_BASIC.replace('Basic', 'Bearer')],
    ['nothing', 'Basic'],
  ])('refuses an Authorization header with %s', async (_name, Authorization) => {
    const answer = await exchange({ client_id: undefined }, { Authorization })
    expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_request'])
  })

  it('refuses a confidential client that only names itself', async () => {
    const answer = await exchange({ client_id: 'orders-service' })
    expect([answer.status, answer.json]).toEqual([401, INVALID_CLIENT])
  })

  it('refuses a client id no database could hold', async () => {
    const answer = await exchange({ client_id: 'orders\0service' })
    expect([answer.status, answer.json]).toEqual([401, INVALID_CLIENT])
  })

  it('refuses two mechanisms at once, and no client at all', async () => {
    const both = await exchange(
      { client_id: 'orders-service', client_secret: 'x' },
      { Authorization: ORDERS_BASIC },
    )
    expect(both).toMatchObject({ status: 400, json: { error: 'invalid_request' } })
    expect(await exchange({ client_id: undefined })).toMatchObject({
      status: 400,
      json: { error: 'invalid_request' },
    })
  })

  it('tells a client that may not use the grant so', async () => {
    await acme.db
      .updateTable('clients')
      .set({ grant_types: [] })
      .where('client_id', '=', 'notebook')
      .execute()
    const answer = await exchange({ client_id: 'notebook' })
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: 'unauthorized_client', error_description: 'the client may not use this grant' },
    ])
  })
})

describe('section 3.2, parameters', () => {
  const valid: Record<string, string> = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:patmint:token-type:pat',
    actor_token_type: 'urn:patmint:token-type:pat',
    scope: 'models:read',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    authorization_details: '[]',
    client_id: 'notebook',
    client_secret: ORDERS_SECRET,
    client_assertion: 'a.b.c',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  }
  const names = ['subject_token', 'actor_token', ...Object.keys(valid)]

  it.each(names)('refuses a repeated %s, whichever comes first and whoever asks', async (name) => {
    const value = valid[name] ?? acme.janePat
    const orders = [
      [value, 'other'],
      ['other', value],
      [value, value],
      [value, value, value],
    ]
    const clients: [Record<string, string | undefined>, Record<string, string>][] = [
      [{ client_id: 'notebook' }, {}],
      [{ client_id: undefined }, { Authorization: ORDERS_BASIC }],
      [{ client_id: 'orders-service', client_secret: ORDERS_SECRET }, {}],
    ]
    for (const repeated of orders)
      for (const [client, headers] of clients) {
        const answer = await exchange({ ...client, [name]: repeated }, headers)
        expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_request'])
        expect(answer.headers.get('cache-control')).toBe('no-store')
        expect(answer.text).not.toContain(value)
      }
  })
})

describe('section 5.2, errors', () => {
  it('answers JSON whatever the Accept header prefers', async () => {
    const answer = await exchange({ subject_token: 'x' }, { Accept: 'text/html' })
    expect(answer.text).toBe('{"error":"invalid_request","error_description":"subject_token is not valid"}')
  })

  it('refuses other grants, and no grant', async () => {
    for (const grant_type of ['password', 'authorization_code', 'refresh_token', 'client_credentials']) {
      const other = await exchange({ grant_type })
      expect([grant_type, other.status, other.json['error']]).toEqual([
        grant_type,
        400,
        'unsupported_grant_type',
      ])
    }
    const none = await exchange({ grant_type: undefined })
    expect([none.status, none.json['error']]).toEqual([400, 'invalid_request'])
  })

  it('refuses a JSON body', async () => {
    const answer = await fetch(`${acme.url}/oauth2/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ grant_type: 'x' }),
    })
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([
      400,
      'invalid_request',
    ])
  })

  it('refuses a body beyond its limit without reading it whole', async () => {
    const answer = await exchange({ filler: 'x'.repeat(100_000) })
    expect([answer.status, answer.json]).toEqual([
      413,
      { error: 'invalid_request', error_description: 'the body is too large' },
    ])
  })

  it('has no token endpoint for GET', async () => {
    expect((await fetch(`${acme.url}/oauth2/token`)).status).toBe(404)
  })

  it('survives a client that leaves in the middle of its body', async () => {
    await new Promise<void>((resolve) => {
      const half = request(`${acme.url}/oauth2/token`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '1000' },
      })
      half.on('error', () => resolve())
      half.write('grant_type=', () => half.destroy())
      half.on('close', () => resolve())
    })
    expect((await exchange({})).status).toBe(200)
  })
})

// RFC 8693, OAuth 2.0 Token Exchange: request, response and errors of the grant, from outside.

import { randomBytes } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../src/protocol/credential.ts'
import { type Acme, API, mistype, ORDERS_BASIC, REPORTS, startAcme } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { type Answer, requestExchange } from '../support/requests.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const exchange = (
  form: Record<string, string | readonly string[] | undefined>,
  headers?: Record<string, string>,
) => requestExchange(acme.url, { subject_token: acme.janePat, ...form }, headers)

const expectError = (answer: Answer, status: number, error: string, description: string): void => {
  expect([answer.status, answer.text]).toEqual([
    status,
    JSON.stringify({ error, error_description: description }),
  ])
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

describe('section 2.1, the request', () => {
  it.each(['urn:patmint:token-type:pat', ACCESS_TOKEN, 'urn:logto:token-type:personal_access_token'])(
    'takes a credential as %s',
    async (type) => {
      expect((await exchange({ subject_token_type: type })).status).toBe(200)
    },
  )

  it.each([
    ['subject_token', { subject_token: undefined }],
    ['subject_token', { subject_token: '' }],
    ['subject_token_type', { subject_token_type: undefined }],
    ['actor_token_type', { actor_token: 'x' }],
    ['actor_token', { actor_token_type: ACCESS_TOKEN }],
  ])('refuses a request without its %s', async (parameter, form) => {
    expectError(await exchange(form), 400, 'invalid_request', `${parameter} is missing`)
  })

  it.each(['subject_token', 'subject_token_type', 'scope', 'requested_token_type', 'actor_token'])(
    'refuses a repeated %s',
    async (parameter) => {
      const answer = await exchange({ [parameter]: [acme.janePat, acme.janePat] })
      expectError(answer, 400, 'invalid_request', `${parameter} must not be repeated`)
    },
  )

  it.each([
    ['subject_token_type', 'urn:ietf:params:oauth:token-type:id_token'],
    ['requested_token_type', 'urn:ietf:params:oauth:token-type:refresh_token'],
    ['requested_token_type', 'urn:ietf:params:oauth:token-type:saml2'],
  ])('refuses %s=%s', async (parameter, value) => {
    const answer = await exchange({ [parameter]: value })
    expectError(answer, 400, 'invalid_request', `${parameter} has an unsupported value`)
  })

  it.each([ACCESS_TOKEN, JWT])('gives an access token for requested_token_type %s', async (type) => {
    const answer = await exchange({ requested_token_type: type })
    expect(answer.json).toMatchObject({ issued_token_type: ACCESS_TOKEN, token_type: 'Bearer' })
  })

  it('refuses an actor whom the credential does not name', async () => {
    const answer = await exchange({ actor_token: acme.samPat, actor_token_type: ACCESS_TOKEN })
    expectError(answer, 400, 'invalid_request', 'actor_token is not valid')
  })

  it('refuses more parameters than it reads', async () => {
    const filler = Array.from({ length: 1000 }, () => 'x')
    const answer = await exchange({
      filler,
      scope: 'models/m1:read',
      actor_token: 'x',
      actor_token_type: 'x',
    })
    expectError(answer, 400, 'invalid_request', 'the request has too many parameters')
  })

  it('takes an empty parameter for an absent one', async () => {
    const answer = await exchange({ authorization_details: '', scope: '', audience: '', actor_token: '' })
    expect(answer.json['scope']).toBe('datasets:read models:read')
  })

  it('reads the form body only', async () => {
    const query = new URLSearchParams({ subject_token: acme.janePat })
    const answer = await fetch(`${acme.url}/oauth2/token?${query}`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        client_id: 'patmint-cli',
        subject_token_type: 'urn:patmint:token-type:pat',
      }),
    })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'subject_token is missing' },
    ])
  })
})

describe('section 2.2.1, the response', () => {
  it('has exactly the members of the contract', async () => {
    const answer = await exchange({ audience: API, scope: 'models:read' })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.json).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'models:read',
      subject_token_expires_in: expect.any(Number),
    })
  })

  it('says when the credential ends', async () => {
    const short = await acme.issue('jane@acme.test', { name: 'hour', expires_in_seconds: 3600 })
    const answer = await exchange({ subject_token: short })
    expect(answer.json['subject_token_expires_in']).toBeGreaterThan(3590)
    expect(answer.json['subject_token_expires_in']).toBeLessThanOrEqual(3600)
  })

  it('never gives a token that outlives the credential', async () => {
    const short = await acme.issue('jane@acme.test', { name: 'minute', expires_in_seconds: 60 })
    const { json } = await exchange({ subject_token: short })
    expect(json['expires_in']).toBeLessThanOrEqual(60)
    const { iat = 0, exp = 0 } = decodeJwt(String(json['access_token']))
    expect(exp - iat).toBe(json['expires_in'])
  })

  it('grants all that is effective when no scope is asked for, wildcards spelled out', async () => {
    expect((await exchange({})).json['scope']).toBe('datasets:read models:read')
    const sam = await exchange({ subject_token: acme.samPat, audience: API })
    expect(sam.json['scope']).toBe('datasets:read models:read models:write')
  })

  it('narrows to one entity', async () => {
    const answer = await exchange({ scope: 'models/m1:read datasets/d-7:read' })
    expect(answer.json['scope']).toBe('models/m1:read datasets/d-7:read')
  })
})

describe('section 2.2.2, errors about the subject token', () => {
  const unknown = canary(generateCredential('personal', randomBytes).reveal())

  const revoke = (pat: string) =>
    acme.db
      .updateTable('credentials')
      .set({ revoked_at: new Date() })
      .where('id', '=', pat.slice(4, 20))
      .execute()

  const causes: Record<string, () => Promise<string>> = {
    credential_malformed: async () => mistype(acme.janePat),
    credential_unknown: async () => unknown,
    secret_mismatch: async () => {
      const secret = new Uint8Array(20).fill(7)
      const id = Buffer.from(acme.janePat.slice(4, 20), 'hex')
      return canary(generateCredential('personal', (n) => (n === 8 ? id : secret)).reveal())
    },
    credential_revoked: async () => {
      const pat = await acme.issue('jane@acme.test', { name: 'to revoke' })
      await revoke(pat)
      return pat
    },
    credential_expired: async () => {
      const pat = await acme.issue('jane@acme.test', { name: 'to expire' })
      await acme.db
        .updateTable('credentials')
        .set({ expires_at: new Date(Date.now() - 1000) })
        .where('id', '=', pat.slice(4, 20))
        .execute()
      return pat
    },
    address_not_allowed: () =>
      acme.issue('jane@acme.test', { name: 'elsewhere', allowed_cidrs: ['192.0.2.0/24'] }),
  }

  it.each(Object.keys(causes))('answers %s with the same bytes', async (cause) => {
    const answer = await exchange({ subject_token: await causes[cause]?.() })
    expectError(answer, 400, 'invalid_request', 'subject_token is not valid')
  })

  it('records the true cause, except of garbage, which costs no I/O', async () => {
    const events = await acme.db
      .selectFrom('audit_events')
      .select('reason')
      .where('type', '=', 'exchange.refused')
      .execute()
    const reasons = new Set(events.map(({ reason }) => reason))
    for (const cause of Object.keys(causes)) expect(reasons.has(cause)).toBe(cause !== 'credential_malformed')
  })

  it.each([{}, { Origin: 'https://app.example.test' }])(
    'answers the headers alike too, with %j',
    async (headers) => {
      const answers = await Promise.all(
        [mistype(acme.janePat), unknown].map((subject_token) => exchange({ subject_token }, headers)),
      )
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      const stable = answers.map(({ headers }) =>
        [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date'),
      )
      expect(stable[0]).toEqual(stable[1])
    },
  )
})

describe('section 2.2.2, errors about target and scope', () => {
  it.each([
    ['an unknown audience', { audience: 'https://nowhere.example.com' }],
    ['an audience the role has nothing on', { audience: REPORTS }],
    ['one permitted audience and one not', { audience: [API, REPORTS] }],
    ...[
      ['another case of the host', 'https://API.example.com'],
      ['another case of the scheme', 'HTTPS://api.example.com'],
      ['a trailing slash', `${API}/`],
      ['the default port', `${API}:443`],
      ['percent-encoding', 'https://api%2Eexample.com'],
      ['an empty fragment', `${API}#`],
      ['a fragment', `${API}#models`],
      ['an empty query', `${API}?`],
      ['a user name', 'https://x@api.example.com'],
      ['a blank before it', ` ${API}`],
      ['a line break after it', `${API}\n`],
      ['a dot behind the host', `${API}.`],
      ['no scheme', '//api.example.com'],
      ['the host alone', 'api.example.com'],
      ['a path alone', '/models'],
      ['both of its audiences in one', `${API} ${REPORTS}`],
    ].map(([name, audience]): [string, { audience: string }] => [
      `an audience with ${name}`,
      { audience: String(audience) },
    ]),
  ])('refuses %s', async (_name, form) => {
    expectError(await exchange(form), 400, 'invalid_target', 'the audience is unknown or not permitted')
  })

  it('refuses to choose among several audiences', async () => {
    const answer = await exchange({ subject_token: acme.samPat })
    expectError(answer, 400, 'invalid_target', 'name the audience: there is not exactly one to choose')
  })

  it('refuses an audience outside those of the client', async () => {
    const form = { client_id: undefined, subject_token: acme.samPat, audience: REPORTS }
    const answer = await exchange(form, { Authorization: ORDERS_BASIC })
    expectError(answer, 400, 'invalid_target', 'the audience is unknown or not permitted')
  })

  it.each(['models:write', 'models/m1:write', 'nothing:read', 'models:read models:write', 'opaque'])(
    'refuses scope %s, which is more than is effective',
    async (scope) => {
      expectError(
        await exchange({ scope }),
        400,
        'invalid_scope',
        'a requested scope is unknown or not permitted',
      )
    },
  )

  it.each(['models:*', '*:read', '*'])('refuses the wildcard %s in a request', async (scope) => {
    expectError(await exchange({ scope }), 400, 'invalid_scope', 'scope is malformed')
  })

  it('refuses a scope parameter that is not a list of scope tokens', async () => {
    for (const scope of [
      'models:read  datasets:read',
      ' models:read',
      'mod"els:read',
      'models:read\ndatasets:read',
    ]) {
      expect(await exchange({ scope })).toMatchObject({ status: 400, json: { error: 'invalid_scope' } })
    }
  })
})

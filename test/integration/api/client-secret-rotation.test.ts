import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterEach(() => acme.setClock(() => new Date()))
afterAll(() => acme.stop())

/** As the platform's admin. */
const call = async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
  const answer = await callApi(acme.url, acme.adminToken, method, path, body, headers)
  if (typeof answer.json['client_secret'] === 'string') canary(answer.json['client_secret'])
  return answer
}

/** Makes a client with a secret; gives that. */
async function create(client_id: string): Promise<string> {
  const body = { client_id, name: 'A client', token_endpoint_auth_method: 'client_secret_basic' }
  return String((await call('POST', '/clients', body)).json['client_secret'])
}

const rotate = (id: string, body: unknown = {}, headers?: Record<string, string>) =>
  call('POST', `/clients/${id}/rotate-secret`, body, headers)
const secretOf = ({ json }: Answer): string => String(json['client_secret'])
const outcome = ({ status, json }: Answer) => [status, json['code'], json['detail']]

/** What an exchange by this client comes to with each of the secrets. */
const tryAll = (client_id: string, ...secrets: string[]) =>
  Promise.all(
    secrets.map(async (client_secret) => {
      const form = { subject_token: acme.samPat, audience: API, client_id, client_secret }
      return (await requestExchange(acme.url, form)).status
    }),
  )

const listEvents = (client: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'detail'])
    .where('target', '=', `client:${client}`)
    .orderBy('id')
    .execute()

/** By the clock of the server. */
const setTime = (instant: Date): void => acme.setClock(() => instant)

describe('POST /clients/{client_id}/rotate-secret', () => {
  it('shows a new secret once, which works at once and alone', async () => {
    const old = await create('at-once')
    const answer = await rotate('at-once')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { client_secret, ...client } = answer.json
    expect(client_secret).toMatch(/^patmint_cs_[0-9a-f]{72}$/)
    expect(client).toEqual((await call('GET', '/clients/at-once')).json)
    expect(client['previous_secret_until']).toBeNull()
    expect(await tryAll('at-once', old, String(client_secret))).toEqual([401, 200])
  })

  it('lets the old secret work until the end of the overlap, and not a moment longer', async () => {
    const old = await create('overlapping')
    const start = new Date()
    const end = new Date(start.getTime() + 3_600_000)
    setTime(start)
    const answer = await rotate('overlapping', { overlap_seconds: 3600 })
    expect(answer.json['previous_secret_until']).toBe(end.toISOString())
    const both = [old, secretOf(answer)]
    expect(await tryAll('overlapping', ...both, `${old}x`)).toEqual([200, 200, 401])
    setTime(new Date(end.getTime() - 1))
    expect(await tryAll('overlapping', ...both)).toEqual([200, 200])
    setTime(end)
    expect(await tryAll('overlapping', ...both)).toEqual([401, 200])
    expect((await call('GET', '/clients/overlapping')).json['previous_secret_until']).toBeNull()
  })

  it('keeps two secrets at most, and ends none before its time unless it is to end both', async () => {
    const first = await create('twice')
    const second = secretOf(await rotate('twice', { overlap_seconds: 3600 }))
    const refused = await rotate('twice', { overlap_seconds: 1 })
    expect(outcome(refused)).toEqual([
      409,
      'already_rotated',
      'The secret before the current one still works',
    ])
    expect(await tryAll('twice', first, second)).toEqual([200, 200])
    const third = secretOf(await rotate('twice', { overlap_seconds: 0 }))
    expect(await tryAll('twice', first, second, third)).toEqual([401, 401, 200])
    const fourth = secretOf(await rotate('twice', { overlap_seconds: 3600 }))
    expect(await tryAll('twice', first, second, third, fourth)).toEqual([401, 401, 200, 200])
  })

  it('records who did it, and no secret', async () => {
    await create('recorded')
    await rotate('recorded', { overlap_seconds: 60 })
    const { json } = await call('GET', '/me')
    const [, event] = await listEvents('recorded')
    expect(event).toEqual({
      type: 'client.secret_rotated',
      actor: json['subject'],
      detail: { overlap_seconds: 60 },
    })
    const row = await acme.db
      .selectFrom('clients')
      .select(['secret_hash', 'previous_secret_hash'])
      .where('client_id', '=', 'recorded')
      .executeTakeFirstOrThrow()
    for (const hash of Object.values(row)) expect(hash).toMatch(/^\$hmac-sha256\$/)
  })

  it('gives one secret to one of those who rotate with overlap at the same time', async () => {
    await create('raced')
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => rotate('raced', { overlap_seconds: 60 })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)])
  })

  it('leaves the rest of the client as it is, and other changes leave both secrets', async () => {
    const old = await create('changing')
    const etag = (await call('GET', '/clients/changing')).headers.get('etag')
    const fresh = secretOf(await rotate('changing', { overlap_seconds: 600 }))
    const patched = await call('PATCH', '/clients/changing', { name: 'New' }, { 'If-Match': String(etag) })
    expect(patched.status).toBe(200)
    expect(await tryAll('changing', old, fresh)).toEqual([200, 200])
    const stale = await rotate('changing', {}, { 'If-Match': String(etag) })
    expect(outcome(stale)[1]).toBe('precondition_failed')
  })

  it.each([
    ['no client', 'nobody', {}, [404, 'not_found']],
    ['what is built in', 'patmint-cli', {}, [409, 'built_in']],
    ['a client without a secret', 'notebook', {}, [400, 'invalid_request']],
    [
      'an overlap of more than 7 days',
      'orders-service',
      { overlap_seconds: 604_801 },
      [400, 'invalid_request'],
    ],
    [
      'an overlap that is no number of seconds',
      'orders-service',
      { overlap_seconds: -1 },
      [400, 'invalid_request'],
    ],
    ['a secret of its own choice', 'orders-service', { client_secret: 'x' }, [400, 'invalid_request']],
  ])('refuses %s', async (_name, id, body, refusal) => {
    expect(outcome(await rotate(id, body)).slice(0, 2)).toEqual(refusal)
  })

  it('is for whoever has platform-wide rights alone', async () => {
    const path = '/clients/orders-service/rotate-secret'
    const answer = await callApi(acme.url, acme.adaPat, 'POST', path, {})
    expect(outcome(answer)).toEqual([403, 'forbidden', 'The scope clients:write is needed'])
  })
})

describe('grant_types', () => {
  it('of a client that may not exchange say so, in the API and at the exchange', async () => {
    await create('no-exchange')
    const changed = await call('PATCH', '/clients/no-exchange', { grant_types: [] })
    expect([changed.status, changed.json['grant_types']]).toEqual([200, []])
    const secret = secretOf(await rotate('no-exchange'))
    const answer = await requestExchange(acme.url, {
      subject_token: acme.samPat,
      client_id: 'no-exchange',
      client_secret: secret,
    })
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: 'unauthorized_client', error_description: 'the client may not use this grant' },
    ])
  })
})

// RFC 8693, OAuth 2.0 Token Exchange: access tokens as subject tokens, and delegation (sections 1.1, 2.1, 4.1,
// 4.3, 4.4).

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, mistype, ORDERS_BASIC, startAcme, withAnotherSecret } from '../support/acme.ts'
import {
  type Answer,
  callApi,
  type Form,
  requestExchange,
  requestIntrospection,
} from '../support/requests.ts'

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const PAT = 'urn:patmint:token-type:pat'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const exchange = (subject: string, form: Form = {}, headers?: Record<string, string>) =>
  requestExchange(
    acme.url,
    { subject_token: subject, subject_token_type: ACCESS_TOKEN, audience: API, ...form },
    headers,
  )

/** The access token an exchange gives. */
async function obtain(subject: string, form: Form = {}): Promise<string> {
  const { json } = await exchange(subject, form)
  return String(json['access_token'])
}

const refusalOf = (parameter: 'subject_token' | 'actor_token') => ({
  error: 'invalid_request',
  error_description: `${parameter} is not valid`,
})

const bearerOf = (pat: string) => pat.slice(4, 20)

async function lastRecord() {
  const { json } = await callApi(acme.url, acme.adminToken, 'GET', '/audit-events?limit=1')
  const [record] = json['items'] as Record<string, unknown>[]
  return record ?? {}
}

describe('an access token of ours as subject token (section 2.1)', () => {
  it.each([ACCESS_TOKEN, JWT])('is exchanged for a narrower one, as %s', async (type) => {
    const first = await obtain(acme.janePat, { scope: 'models:read datasets:read' })
    const answer = await exchange(first, { subject_token_type: type, scope: 'models/m1:read' })
    expect(answer.status).toBe(200)
    const [claims, before] = [decodeJwt(String(answer.json['access_token'])), decodeJwt(first)]
    expect(claims).toMatchObject({
      scope: 'models/m1:read',
      sub: before.sub,
      cred: before['cred'],
      exchanges: 2,
    })
    expect(claims.exp).toBeLessThanOrEqual(Number(before.exp))
    expect(claims.jti).not.toBe(before.jti)
  })

  it('is never exchanged for more than it has', async () => {
    const narrow = await obtain(acme.janePat, { scope: 'models/m1:read' })
    expect((await exchange(narrow)).json['scope']).toBe('models/m1:read')
    expect((await exchange(narrow, { scope: 'models:read' })).json['error']).toBe('invalid_scope')
    expect((await exchange(narrow, { audience: `${acme.issuer}/api` })).json['error']).toBe('invalid_target')
  })

  it('is exchanged at most three times in a row: four exchanges in all', async () => {
    let token = await obtain(acme.janePat)
    for (let exchanges = 2; exchanges <= 4; exchanges += 1) {
      token = await obtain(token)
      expect(decodeJwt(token)['exchanges']).toBe(exchanges)
    }
    expect((await exchange(token)).json).toEqual(refusalOf('subject_token'))
  })

  it('ends with its credential', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'short-lived' })
    const token = await obtain(pat)
    await callApi(acme.url, pat, 'DELETE', `/tokens/${bearerOf(pat)}`)
    expect((await exchange(token)).json).toEqual(refusalOf('subject_token'))
    expect(await lastRecord()).toMatchObject({
      type: 'exchange.refused',
      reason: 'credential_revoked',
      credential: bearerOf(pat),
    })
  })

  it('is refused with the same bytes whatever is wrong with it', async () => {
    const statusList = await (await fetch(`${acme.url}/oauth2/status-lists/0`)).text()
    const token = await obtain(acme.janePat)
    const [head = '', body = '', signature = ''] = token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(token), scope: '*:*' })).toString('base64url')
    const bodies = await Promise.all(
      [
        `${head}.${forged}.${signature}`,
        `${head}.${body}.${signature.slice(0, -4)}AAAA`,
        `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${body}.`,
        `${token}=`,
        `${token}\n`,
        'a.b.c',
        // Signed by us, and no access token (RFC 9068 section 4).
        statusList,
      ].map(async (subject) => (await exchange(subject)).json),
    )
    expect(bodies).toEqual(bodies.map(() => refusalOf('subject_token')))
  })

  it('is exchanged until it expires, whoever presents it: as subject or as actor', async () => {
    const { sub } = decodeJwt(await obtain(acme.samPat, { scope: 'models:read' }))
    const pat = await acme.issue('jane@acme.test', { name: 'until then', may_act: [{ sub }] })
    // In the past: what else is recorded here comes after it.
    acme.setClock(() => new Date(Date.now() - 600_000))
    const [subject, actor] = [await obtain(pat), await obtain(acme.samPat)]
    const asActor = { actor_token: actor, actor_token_type: ACCESS_TOKEN }
    const present = async (token: string, secondsLeft: number, exchangeIt: () => Promise<Answer>) => {
      acme.setClock(() => new Date((Number(decodeJwt(token).exp) - secondsLeft) * 1000))
      return exchangeIt()
    }
    const presentBoth = async (secondsLeft: number) => [
      await present(subject, secondsLeft, () => exchange(subject)),
      await present(actor, secondsLeft, () => exchange(pat, asActor)),
    ]
    const [before, after] = [await presentBoth(1), await presentBoth(0)]
    acme.setClock(() => new Date())
    expect(before.map(({ status }) => status)).toEqual([200, 200])
    expect(after.map(({ json }) => json)).toEqual([refusalOf('subject_token'), refusalOf('actor_token')])
  })

  it('is no PAT, a PAT is no JWT, and an ID token is none of both', async () => {
    const token = await obtain(acme.janePat)
    const asJwt = await exchange(acme.janePat, { subject_token_type: JWT })
    expect(asJwt.json).toEqual(refusalOf('subject_token'))
    expect((await exchange(token, { subject_token_type: PAT })).json).toEqual(refusalOf('subject_token'))
    expect((await exchange(token, { subject_token_type: ID_TOKEN })).json).toEqual({
      error: 'invalid_request',
      error_description: 'subject_token_type has an unsupported value',
    })
  })

  it('becomes a token of the client that asks now (section 4.3)', async () => {
    const first = await obtain(acme.janePat)
    const { json } = await exchange(first, { client_id: undefined }, { Authorization: ORDERS_BASIC })
    const clients = [first, String(json['access_token'])].map((token) => decodeJwt(token)['client_id'])
    expect(clients).toEqual(['patmint-cli', 'orders-service'])
  })

  it('is no use of the credential behind it', async () => {
    const token = await obtain(acme.samPat, { scope: 'models:read' })
    const at = `/tokens/${bearerOf(acme.samPat)}`
    const read = async () => (await callApi(acme.url, acme.samPat, 'GET', at)).json['last_used_at']
    const before = await read()
    await exchange(token)
    expect(await read()).toBe(before)
  })
})

describe('delegation (sections 1.1 and 4.1)', () => {
  let robot: string
  let robotSub: string
  let subject: string
  beforeAll(async () => {
    const created = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/keys', {
      name: 'robot',
      role: 'analyst',
    })
    robot = String(created.json['token'])
    robotSub = `key:${String(created.json['id'])}`
    subject = await acme.issue('jane@acme.test', {
      name: 'delegates',
      may_act: [{ sub: robotSub }, { sub: 'key:0123456789abcdef' }],
    })
  })

  const delegated = (pat: string, actor: string, form: Form = {}, headers?: Record<string, string>) =>
    exchange(pat, { actor_token: actor, actor_token_type: ACCESS_TOKEN, ...form }, headers)

  it('names the actor in the token, and in the record', async () => {
    const { json } = await delegated(subject, robot)
    const claims = decodeJwt(String(json['access_token']))
    expect(claims['act']).toEqual({ sub: robotSub })
    expect(claims.sub).toBe(decodeJwt(await obtain(subject)).sub)
    await delegated(subject, robot)
    expect(await lastRecord()).toMatchObject({
      type: 'exchange.granted',
      actor: robotSub,
      subject: claims.sub,
    })
  })

  it('takes an access token of the actor as well', async () => {
    const { json } = await delegated(subject, await obtain(robot))
    expect(decodeJwt(String(json['access_token']))['act']).toEqual({ sub: robotSub })
  })

  it('takes the actor for what its own type says, whatever the subject is (section 2.1)', async () => {
    const token = await obtain(robot)
    const answers = await Promise.all(
      [
        [robot, PAT],
        [token, JWT],
        [robot, JWT],
        [token, PAT],
        [token, ID_TOKEN],
      ].map(([actor = '', type]) => delegated(subject, actor, { actor_token_type: type })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 400, 400, 400])
    expect(answers.slice(2).map(({ json }) => json)).toEqual([
      refusalOf('actor_token'),
      refusalOf('actor_token'),
      { error: 'invalid_request', error_description: 'actor_token_type has an unsupported value' },
    ])
  })

  it('notes the use of the credential of the actor', async () => {
    const fresh = await acme.issue('sam@acme.test', { name: 'actor' })
    const sub = decodeJwt(await obtain(acme.samPat, { scope: 'models:read' })).sub
    const pat = await acme.issue('jane@acme.test', { name: 'for sam', may_act: [{ sub }] })
    expect((await delegated(pat, fresh)).status).toBe(200)
    const { json } = await callApi(acme.url, fresh, 'GET', `/tokens/${bearerOf(fresh)}`)
    expect(json['last_used_at']).not.toBeNull()
  })

  it('nests whoever acted before, and keeps them when nobody new acts', async () => {
    const other = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/keys', {
      name: 'second robot',
      role: 'analyst',
    })
    const otherSub = `key:${String(other.json['id'])}`
    const pat = await acme.issue('jane@acme.test', {
      name: 'delegates twice',
      may_act: [{ sub: robotSub }, { sub: otherSub }],
    })
    const first = String((await delegated(pat, robot)).json['access_token'])
    const second = String((await delegated(first, String(other.json['token']))).json['access_token'])
    const nested = { sub: otherSub, act: { sub: robotSub } }
    expect(decodeJwt(second)['act']).toEqual(nested)
    expect(decodeJwt(await obtain(second))['act']).toEqual(nested)
  })

  it('is refused with the same bytes whatever is wrong with the actor', async () => {
    const acting = String((await delegated(subject, robot)).json['access_token'])
    const revoked = await acme.issue('sam@acme.test', { name: 'to revoke' })
    await callApi(acme.url, revoked, 'DELETE', `/tokens/${bearerOf(revoked)}`)
    const actors = [
      acme.samPat,
      mistype(robot),
      withAnotherSecret(robot),
      revoked,
      'a.b.c',
      'x',
      // Somebody for whom another one acts.
      acting,
    ]
    const bodies = await Promise.all(actors.map(async (actor) => (await delegated(subject, actor)).json))
    expect(bodies).toEqual(bodies.map(() => refusalOf('actor_token')))
  })

  it('is refused where the credential names nobody, also to the subject itself', async () => {
    expect((await delegated(acme.janePat, robot)).json).toEqual(refusalOf('actor_token'))
    expect((await delegated(acme.janePat, acme.janePat)).json).toEqual(refusalOf('actor_token'))
  })

  it('is bound to the client that is named with the actor', async () => {
    const pat = await acme.issue('jane@acme.test', {
      name: 'by orders only',
      may_act: [{ sub: robotSub, client_id: 'orders-service' }],
    })
    expect((await delegated(pat, robot)).json).toEqual(refusalOf('actor_token'))
    const byOrders = await delegated(pat, robot, { client_id: undefined }, { Authorization: ORDERS_BASIC })
    expect(byOrders.status).toBe(200)
  })

  it('tells of the subject first, when both are wrong', async () => {
    expect((await delegated(mistype(subject), mistype(robot))).json).toEqual(refusalOf('subject_token'))
    expect((await delegated(withAnotherSecret(subject), withAnotherSecret(robot))).json).toEqual(
      refusalOf('subject_token'),
    )
  })

  it('is shown where credentials are, and survives rotation', async () => {
    const mayAct = [{ sub: robotSub, client_id: 'orders-service' }]
    const pat = await acme.issue('jane@acme.test', { name: 'rotates', may_act: mayAct })
    const shown = await callApi(acme.url, pat, 'GET', `/tokens/${bearerOf(pat)}`)
    expect(shown.json['may_act']).toEqual(mayAct)
    const rotated = await callApi(acme.url, pat, 'POST', `/tokens/${bearerOf(pat)}/rotate`, {})
    expect(rotated.json['may_act']).toEqual(mayAct)
  })

  it('shows at the management API who really calls', async () => {
    const pat = await acme.issue('ada@acme.test', { name: 'lent', may_act: [{ sub: robotSub }] })
    const api = { audience: `${acme.issuer}/api` }
    const token = String((await delegated(pat, robot, api)).json['access_token'])
    const renamed = await callApi(acme.url, token, 'PATCH', `/tokens/${bearerOf(pat)}`, {
      name: 'lent to a robot',
    })
    expect(renamed.status).toBe(200)
    expect(await lastRecord()).toMatchObject({ type: 'credential.renamed', actor: robotSub })
  })

  it('counts whoever acts now, and names those before (section 4.1)', async () => {
    const make = async (name: string) => {
      const body = { name, role: 'analyst' }
      const { json } = await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/keys', body)
      return { token: String(json['token']), id: String(json['id']), sub: `key:${String(json['id'])}` }
    }
    const [former, current] = [await make('former'), await make('current')]
    const pat = await acme.issue('ada@acme.test', {
      name: 'lent twice',
      may_act: [{ sub: former.sub }, { sub: current.sub }],
    })
    const api = { audience: `${acme.issuer}/api` }
    const first = String((await delegated(pat, former.token, api)).json['access_token'])
    const second = String((await delegated(first, current.token, api)).json['access_token'])
    const ended = await callApi(acme.url, acme.adminToken, 'DELETE', `/organizations/acme/keys/${former.id}`)
    expect(ended.status).toBe(204)
    const renamed = await callApi(acme.url, second, 'PATCH', `/tokens/${bearerOf(pat)}`, { name: 'lent on' })
    expect(renamed.status).toBe(200)
    expect(await lastRecord()).toMatchObject({ type: 'credential.renamed', actor: current.sub })
    expect(decodeJwt(await obtain(second, api))['act']).toEqual({
      sub: current.sub,
      act: { sub: former.sub },
    })
  })

  it('is told by introspection as the token tells it (section 4.1)', async () => {
    const token = String((await delegated(subject, robot)).json['access_token'])
    const { json } = await requestIntrospection(acme.url, { token }, { Authorization: ORDERS_BASIC })
    expect(json).toEqual({ active: true, token_type: 'Bearer', ...decodeJwt(token) })
    expect(json['act']).toEqual({ sub: robotSub })
  })

  it('records whose credential a refusal is about', async () => {
    const revoked = await acme.issue('sam@acme.test', { name: 'actor, revoked' })
    await callApi(acme.url, revoked, 'DELETE', `/tokens/${bearerOf(revoked)}`)
    const sub = decodeJwt(await obtain(acme.samPat, { scope: 'models:read' })).sub
    const pat = await acme.issue('jane@acme.test', { name: 'for a revoked actor', may_act: [{ sub }] })
    await delegated(pat, revoked)
    expect(await lastRecord()).toMatchObject({
      type: 'exchange.refused',
      reason: 'credential_revoked',
      credential: bearerOf(pat),
      actor: sub,
      detail: { refused: 'actor_token', credential: bearerOf(revoked) },
    })
  })

  it('records who acts also when their token is exchanged again', async () => {
    await obtain(String((await delegated(subject, robot)).json['access_token']))
    expect(await lastRecord()).toMatchObject({ type: 'exchange.granted', actor: robotSub })
  })
})

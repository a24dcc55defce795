// RFC 8707, resource indicators: `resource` names a resource server just as `audience` does.

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, REPORTS, startAcme } from '../support/acme.ts'
import { requestExchange } from '../support/requests.ts'

const MIRROR = 'https://mirror.example.com'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const exchange = (form: Record<string, string | string[]>) =>
  requestExchange(acme.url, { subject_token: acme.samPat, ...form })

describe('section 2, the resource parameter', () => {
  it('names a resource server', async () => {
    const answer = await exchange({ resource: API, scope: 'models:read' })
    expect(decodeJwt(String(answer.json['access_token'])).aud).toBe(API)
  })

  it('may repeat what audience says', async () => {
    const answer = await exchange({ resource: API, audience: API, scope: 'models:read' })
    expect(decodeJwt(String(answer.json['access_token'])).aud).toBe(API)
  })

  it.each([
    ['a relative reference', '/models'],
    ['a host name', 'api.example.com'],
    ['a fragment', `${API}#models`],
    ['blanks', 'https://api.example.com/a b'],
  ])('refuses %s as resource', async (_name, resource) => {
    const answer = await exchange({ resource })
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: 'invalid_target', error_description: 'resource is no absolute URI without a fragment' },
    ])
  })

  it('is invalid_target when it is unknown, or one of several is', async () => {
    const refused = { error: 'invalid_target', error_description: 'the audience is unknown or not permitted' }
    expect((await exchange({ resource: 'https://nowhere.example.com' })).json).toEqual(refused)
    expect((await exchange({ resource: [API, 'urn:example:nowhere'] })).json).toEqual(refused)
  })
})

describe('several audiences', () => {
  beforeAll(async () => {
    const server = await acme.db
      .selectFrom('resource_servers')
      .selectAll()
      .where('audience', '=', API)
      .executeTakeFirstOrThrow()
    const id = crypto.randomUUID()
    await acme.db
      .insertInto('resource_servers')
      .values({ ...server, id, audience: MIRROR, access_token_ttl_seconds: 60 })
      .execute()
    const scopes = ['models:read', 'models:write', 'datasets:read']
    await acme.db
      .insertInto('resource_scopes')
      .values(scopes.map((scope) => ({ resource_server_id: id, scope, description: scope })))
      .execute()
    const roles = await acme.db.selectFrom('roles').select('id').where('name', '=', 'engineer').execute()
    await acme.db
      .insertInto('role_permissions')
      .values(
        roles.map((role) => ({
          role_id: role.id,
          resource_server_id: id,
          scopes: ['models:*', 'datasets:read'],
        })),
      )
      .execute()
  })

  it('share one token when the scopes are the same at each, for the shortest lifetime of them', async () => {
    const answer = await exchange({ audience: API, resource: MIRROR })
    expect(answer.json).toMatchObject({ expires_in: 60, scope: 'datasets:read models:read models:write' })
    expect(decodeJwt(String(answer.json['access_token'])).aud).toEqual([API, MIRROR])
  })

  it('are refused when a scope is not effective at each', async () => {
    await acme.db
      .deleteFrom('resource_scopes')
      .where('scope', '=', 'models:write')
      .where('description', '=', 'models:write')
      .execute()
    const differ = await exchange({ audience: [API, MIRROR] })
    expect([differ.status, differ.json]).toEqual([
      400,
      { error: 'invalid_scope', error_description: 'the scopes are not the same at each audience' },
    ])
    const beyond = await exchange({ audience: [API, MIRROR], scope: 'models:write' })
    expect(beyond.json).toMatchObject({ error: 'invalid_scope' })
    expect((await exchange({ audience: [API, MIRROR], scope: 'models:read' })).status).toBe(200)
  })

  it('are refused when they pin different algorithms', async () => {
    const answer = await exchange({ audience: [API, REPORTS] })
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: 'invalid_target', error_description: 'the audiences cannot share one token' },
    ])
  })
})

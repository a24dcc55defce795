// What a credential may do about itself when its value is presented, however little it may do else; and that the one
// sight of a new value does not depend on the database once the change is committed.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { type SignedIn, serveSignedIn } from '../../support/signed-in.ts'
import { ISSUER, RESOURCE_METADATA } from '../../support/test-server.ts'
import { callForValue, eventsOf, idOf, pathOf } from './credential-desk.ts'
import { DirectoryDesk, FORBIDDEN, refusalOf } from './directory-desk.ts'

const permissions = [{ audience: API, scopes: ['models:read'] }]

let acme: Acme
let jane: SignedIn
let janeId: string
beforeAll(async () => {
  const secretKey = newSecretKey()
  acme = await startAcme({ PATMINT_SECRET_KEY: secretKey })
  jane = await serveSignedIn(acme, acme.janePat, secretKey)
  janeId = await new DirectoryDesk(acme).findUserId('jane@acme.test')
})
afterAll(async () => {
  await jane.stop()
  await acme.stop()
})

const newName = () => `own value ${crypto.randomUUID()}`
const narrowPat = () => acme.issue('jane@acme.test', { name: newName(), permissions })

async function narrowKey(): Promise<string> {
  const body = { name: newName(), role: 'analyst', permissions }
  const { json } = await callForValue(acme.url, acme.adaPat, '/organizations/acme/keys', body)
  return String(json['token'])
}

describe.each([
  ['PAT', narrowPat],
  ['API key', narrowKey],
])('a %s narrowed to something else', (_, make) => {
  it('reads, rotates and revokes itself', async () => {
    const credential = await make()
    const shown = await callApi(acme.url, credential, 'GET', pathOf(credential))
    expect([shown.status, shown.json['id'], shown.json['permissions']]).toEqual([
      200,
      idOf(credential),
      permissions,
    ])
    const rotated = await callForValue(acme.url, credential, `${pathOf(credential)}/rotate`, {})
    expect([rotated.status, rotated.json['permissions']]).toEqual([201, permissions])
    const successor = String(rotated.json['token'])
    expect((await callApi(acme.url, successor, 'DELETE', pathOf(successor))).status).toBe(204)
    expect((await requestExchange(acme.url, { subject_token: successor })).status).toBe(400)
    expect(await eventsOf(acme, idOf(successor), 'credential.revoked')).toHaveLength(1)
  })

  it('does nothing else at /tokens, and is told which scope is missing', async () => {
    const [credential, other] = [await make(), await make()]
    for (const [method, path, scope, body] of [
      ['GET', '/tokens', 'tokens:read'],
      ['POST', '/tokens', 'tokens:write', { name: 'x' }],
      ['PATCH', pathOf(credential), 'tokens:write', { name: 'x' }],
      ['GET', pathOf(other), 'tokens:read'],
      ['DELETE', pathOf(other), 'tokens:write'],
      ['POST', `${pathOf(other)}/rotate`, 'tokens:write', {}],
    ] as const) {
      const answer = await callApi(acme.url, credential, method, path, body)
      expect([method, path, ...refusalOf(answer), answer.headers.get('www-authenticate')]).toEqual([
        method,
        path,
        ...FORBIDDEN,
        `Bearer error="insufficient_scope", scope="${scope}", ${RESOURCE_METADATA}`,
      ])
    }
  })
})

describe('an access token', () => {
  it('is not the value: without the scope it does not even read the credential it came from', async () => {
    const pat = await acme.issue('ada@acme.test', { name: newName() })
    const form = { subject_token: pat, audience: `${ISSUER}/api`, scope: 'users:read' }
    const access = String((await requestExchange(acme.url, form)).json['access_token'])
    for (const method of ['GET', 'DELETE'])
      expect(refusalOf(await callApi(acme.url, access, method, pathOf(pat)))).toEqual(FORBIDDEN)
  })
})

describe('the only sight of a new value', () => {
  it.each<[string, () => Promise<[url: string, token: string | undefined, path: string, body: object]>]>([
    ['for a user', async () => [acme.url, acme.adaPat, `/users/${janeId}/tokens`, { name: newName() }]],
    ['for oneself', async () => [jane.url, undefined, '/tokens', { name: newName() }]],
    [
      'of an API key',
      async () => [acme.url, acme.adaPat, '/organizations/acme/keys', { name: newName(), role: 'analyst' }],
    ],
    [
      'of a successor',
      async () => {
        const pat = await narrowPat()
        return [acme.url, pat, `${pathOf(pat)}/rotate`, {}]
      },
    ],
    [
      "of a key's successor",
      async () => {
        const key = idOf(await narrowKey())
        return [acme.url, acme.adaPat, `/organizations/acme/keys/${key}/rotate`, {}]
      },
    ],
  ])('needs the database no more once it is there: %s', async (_, prepare) => {
    const [url, token, path, body] = await prepare()
    acme.takeQueries()
    const answer = await callForValue(url, token, path, body)
    expect(answer.status).toBe(201)
    const queries = acme.takeQueries()
    const made = queries.findIndex((query) => query.startsWith('insert into "credentials"'))
    const committed = queries.indexOf('commit', made)
    expect([made, committed]).not.toContain(-1)
    // The uses counted meanwhile are written behind the back of requests, and read nothing.
    const read = queries.slice(committed).filter((query) => /^\s*select/.test(query))
    expect(read).toEqual([])
  })
})

// Every operation of the management API, called by people who have nothing to do with what it is about: refused as if
// that were not there, nothing of it shown, and not a row changed.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Operation } from '../../src/server/api/operation.ts'
import { OPERATIONS } from '../../src/server/api/operations.ts'
import { type Acme, startAcme } from '../support/acme.ts'
import { canary } from '../support/evidence.ts'
import { describeBody, sampleBody, sampleParams, type Targets, toPath } from '../support/operation-samples.ts'
import { callApi } from '../support/requests.ts'
import { createTestDatabase, withClient } from '../support/test-database.ts'

const SAM = 'sam@acme.test'
/** Platform objects: whoever may read those at all may read each. */
const SHARED = /^\/(resource-servers|clients)\//

let databaseUrl: string
let acme: Acme
/** Sam, and what is his or his organization's. */
let targets: Targets
/** Jane is in Sam's organization and manages nothing; Otto manages everything in another one. */
let attackers: Record<'Jane' | 'Otto', string>

async function make(path: string, body: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { status, json, text } = await callApi(acme.url, acme.adminToken, 'POST', path, body)
  if (status !== 201) throw new Error(`not made: ${text}`)
  if (typeof json['token'] === 'string') canary(json['token'])
  return json
}

beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  acme = await startAcme({ PATMINT_DATABASE_URL: databaseUrl })
  await make('/organizations', { slug: 'other', name: 'Other' })
  const otto = await make('/users', { email: 'otto@other.test', name: 'Otto' })
  await make('/organizations/other/members', { user_id: otto['id'], role: 'admin' })
  const first = async (path: string, name: 'id' | 'kid' = 'id') => {
    const { json } = await callApi(acme.url, acme.adminToken, 'GET', path)
    return String((json['items'] as Record<string, string>[])[0]?.[name])
  }
  targets = {
    slug: 'acme',
    userId: await first(`/users?email=${encodeURIComponent(SAM)}`),
    credentialId: acme.samPat.slice(4, 20),
    keyId: String((await make('/organizations/acme/keys', { name: 'deploy', role: 'engineer' }))['id']),
    role: 'engineer',
    resourceServerId: await first('/resource-servers'),
    clientId: 'orders-service',
    kid: await first('/signing-keys', 'kid'),
  }
  attackers = {
    Jane: acme.janePat,
    Otto: canary(String((await make(`/users/${otto['id']}/tokens`, { name: 'otto' }))['token'])),
  }
})
afterAll(() => acme.stop())

/** Every row but the audit records, without what the mere use of a credential writes. */
const dump = (): Promise<string> =>
  withClient(databaseUrl, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'audit_events%'",
    )
    const selects = tables.map(
      ({ name }) =>
        `select '${name} ' || (to_jsonb(t) - 'last_used_at' - 'last_used_ip' - 'recent_use')::text as row from ${name} t`,
    )
    const { rows } = await client.query<{ row: string }>(`${selects.join(' union all ')} order by 1`)
    return rows.map(({ row }) => row).join('\n')
  })

const methodOf = ({ method }: Operation): string => method.toUpperCase()
const named = (operations: readonly Operation[]) =>
  operations.map((operation) => [`${methodOf(operation)} ${operation.path}`, operation] as const)

const pathOf = (operation: Operation): string => toPath(operation, sampleParams(operation, targets))
const bodyOf = (operation: Operation): Record<string, unknown> | undefined =>
  operation.body ? sampleBody(operation, targets) : undefined

const aboutSomething = named(OPERATIONS.filter(({ params }) => params))
const aboutNothing = named(OPERATIONS.filter(({ params }) => !params))
const withBody = named(OPERATIONS.filter(({ body }) => body))

describe.each(['Jane', 'Otto'] as const)('%s, with Sam and his organization,', (name) => {
  it.each(aboutSomething)('gets nowhere: %s', async (_, operation) => {
    const before = await dump()
    const method = methodOf(operation)
    const answer = await callApi(acme.url, attackers[name], method, pathOf(operation), bodyOf(operation))
    const isShared = SHARED.test(operation.path) && method === 'GET'
    const expected = isShared ? [200, 403, 404] : [403, 404]
    expect([operation.id, expected.includes(answer.status), answer.status]).toEqual([
      operation.id,
      true,
      answer.status,
    ])
    expect(await dump()).toEqual(before)
  })

  it.each(aboutNothing)('is not told of them: %s', async (_, operation) => {
    const { userId, credentialId, keyId, slug } = targets
    const known: Record<string, string> = {
      email: SAM,
      organization: slug,
      subject: userId,
      actor: userId,
      owner: userId,
      credential: credentialId,
    }
    const names = ['', ...Object.keys(operation.query?.shape ?? {}).filter((one) => one in known)]
    for (const one of names) {
      const query = one === '' ? '' : `?${one}=${encodeURIComponent(known[one] ?? '')}`
      const path = operation.path + query
      const answer = await callApi(acme.url, attackers[name], methodOf(operation), path, bodyOf(operation))
      expect(answer.status).toBeLessThan(500)
      // What a refusal repeats, the client has said.
      const told = answer.status < 300 ? answer.text : ''
      const secrets = [userId, credentialId, keyId, SAM].filter((secret) => told.includes(secret))
      expect([path, secrets]).toEqual([path, []])
    }
  })
})

describe('a body', () => {
  const FOREIGN: Record<string, unknown> = {
    owner: '00000000-0000-7000-8000-000000000000',
    owner_id: '00000000-0000-7000-8000-000000000000',
    role: 'platform-admin',
    role_id: '00000000-0000-7000-8000-000000000000',
    secret_hash: `$argon2id$${randomBytes(4).toString('hex')}`,
    password_hash: 'x',
    revoked_at: null,
    deleted_at: null,
    id: 'ffffffffffffffff',
    kind: 'organization',
    built_in: true,
    reach: 'platform',
    issued_reach: null,
    issued_scopes: null,
    created_at: '2000-01-01T00:00:00Z',
  }

  it.each(withBody)('says what the operation takes, and nothing else: %s', async (_, operation) => {
    const { members } = describeBody(operation)
    const before = await dump()
    for (const [member, value] of Object.entries(FOREIGN).filter(([name]) => !members.includes(name))) {
      const body = { ...sampleBody(operation, targets), [member]: value }
      const answer = await callApi(acme.url, acme.adminToken, methodOf(operation), pathOf(operation), body)
      expect([member, answer.status, answer.json['code']]).toEqual([member, 400, 'invalid_request'])
    }
    expect(await dump()).toEqual(before)
  })
})

describe('this test', () => {
  it('would notice: the platform admin gets somewhere', async () => {
    const before = await dump()
    const path = `/organizations/acme/members/${targets.userId}`
    expect((await callApi(acme.url, acme.adminToken, 'PATCH', path, { role: 'analyst' })).status).toBe(200)
    expect(await dump()).not.toEqual(before)
  })
})

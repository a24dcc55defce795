// The whole story on two server processes with one database: a credential made for ever in winter, a policy of 90 days
// today. It is seen beforehand, it binds at once on both, it gives back what it took, and the audit trail tells of it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canary } from '../../support/evidence.ts'
import { callApi, issuePat, requestExchange } from '../../support/requests.ts'
import { newSecretKey, type ServerProcess, startServerProcess } from '../../support/server-process.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'

const ISSUER = 'https://sts.example.test'
const QUARTER_SECONDS = 90 * 86_400
const REFUSED = { error: 'invalid_request', error_description: 'subject_token is not valid' }
const NO_RULES = {
  max_lifetime_seconds: null,
  default_lifetime_seconds: null,
  idle_timeout_seconds: null,
  access_token_max_ttl_seconds: null,
  max_active_tokens: 10,
  applies_to: 'all',
  exempt_roles: [],
}
const QUARTER = { ...NO_RULES, max_lifetime_seconds: QUARTER_SECONDS }

let databaseUrl: string
let instances: [ServerProcess, ServerProcess]
let admin: string
beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  const variables = {
    PATMINT_DATABASE_URL: databaseUrl,
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_ISSUER: ISSUER,
  }
  const first = await startServerProcess(variables)
  instances = [first, await startServerProcess(variables)]
  admin = canary(first.bootstrapToken())
})
afterAll(() => Promise.all(instances.map((server) => server.stop())))

const call = (instance: 0 | 1, method: string, path: string, body?: unknown, headers = {}) =>
  callApi(instances[instance].url, admin, method, path, body, headers)

/** An exchange on each instance. */
const exchangeOnBoth = (pat: string) =>
  Promise.all(
    instances.map(async ({ url }) => {
      const { status, json } = await requestExchange(url, { subject_token: pat, audience: `${ISSUER}/api` })
      return status === 200 ? status : json
    }),
  )

async function issueForEver(email: string): Promise<string> {
  const { json } = await call(0, 'POST', '/users', { email, name: 'Wanda' })
  await call(0, 'POST', '/organizations/default/members', { user_id: json['id'], role: 'member' })
  return issuePat(instances[0].url, admin, email, { name: 'since winter', never_expires: true })
}

const listEvents = async (query: string) => {
  const { json } = await call(1, 'GET', `/audit-events?limit=200&${query}`)
  return (json['items'] as Record<string, unknown>[]).reverse()
}

describe('a policy of 90 days', () => {
  it('stops what is older on every instance, until it is lifted, and all of it is on record', async () => {
    const pat = await issueForEver('wanda@acme.test')
    const id = pat.slice(4, 20)
    await withClient(databaseUrl, (client) =>
      client.query("update credentials set created_at = created_at - interval '300 days' where id = $1", [
        id,
      ]),
    )
    expect(await exchangeOnBoth(pat)).toEqual([200, 200])

    const preview = await call(1, 'POST', '/policy/preview', QUARTER)
    expect(preview.json).toMatchObject({ stops_now: 1, in_use: 1, items: [{ id, rule: 'max_lifetime' }] })
    const before = await call(1, 'GET', '/policy')
    const ifMatch = { 'If-Match': before.headers.get('etag') ?? '' }
    const unconfirmed = await call(0, 'PUT', '/policy', QUARTER, ifMatch)
    expect([unconfirmed.status, unconfirmed.json['code'], unconfirmed.json['count']]).toEqual([
      409,
      'confirmation_required',
      1,
    ])
    expect(await exchangeOnBoth(pat)).toEqual([200, 200])

    const made = await call(0, 'PUT', '/policy', { ...QUARTER, confirm: 1 }, ifMatch)
    expect(made.status).toBe(200)
    expect(await exchangeOnBoth(pat)).toEqual([REFUSED, REFUSED])
    const seen = await call(1, 'GET', `/organizations/default/tokens/${id}`)
    expect([seen.json['status'], seen.json['blocked_by']]).toEqual([
      'blocked_by_policy',
      { rule: 'max_lifetime', level: 'platform', limit_seconds: QUARTER_SECONDS },
    ])
    const explained = await call(1, 'POST', '/exchange/explain', { credential: id })
    expect([explained.json['cause'], explained.text]).toEqual([
      'blocked_by_policy',
      expect.stringContaining(`by max_lifetime of the platform policy, which is ${QUARTER_SECONDS} seconds`),
    ])

    const lifted = await call(1, 'PUT', '/policy', NO_RULES, {
      'If-Match': made.headers.get('etag') ?? '',
    })
    expect(lifted.status).toBe(200)
    expect(await exchangeOnBoth(pat)).toEqual([200, 200])

    expect((await listEvents(`credential=${id}`)).map(({ type, reason }) => [type, reason])).toEqual([
      ['credential.issued', null],
      ...Array(4).fill(['exchange.granted', null]),
      ...Array(2).fill(['exchange.refused', 'blocked_by_policy']),
      ...Array(2).fill(['exchange.granted', null]),
    ])
    const refused = await listEvents(`credential=${id}&type=exchange.refused`)
    const blocked_by = { rule: 'max_lifetime', level: 'platform', limit_seconds: QUARTER_SECONDS }
    expect(refused.map(({ detail }) => detail)).toEqual([{ blocked_by }, { blocked_by }])
    const changes = await listEvents('type=policy.changed')
    const [none, quarter] = [NO_RULES, QUARTER].map((policy) => ({ ...policy, applies_since: null }))
    expect(changes.map(({ detail }) => detail)).toEqual([
      { version: 1, before: none, after: quarter, stopped: 1, stopped_in_use: 1 },
      { version: 2, before: quarter, after: none, stopped: 0, stopped_in_use: 0 },
    ])
  })
})

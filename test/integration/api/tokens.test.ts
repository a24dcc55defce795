import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, REPORTS, startAcme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { RESOURCE_METADATA } from '../../support/test-server.ts'

let acme: Acme
const ids: Record<string, string> = {}
beforeAll(async () => {
  acme = await startAcme()
  const users = await callApi(acme.url, acme.adminToken, 'GET', '/users')
  for (const { email, id } of users.json['items'] as { email: string; id: string }[])
    ids[email.split('@')[0] ?? ''] = id
})
afterAll(() => acme.stop())

function issue(token: string, user: string | undefined, body: Record<string, unknown>): Promise<Answer> {
  return callApi(acme.url, token, 'POST', `/users/${user}/tokens`, body).then((answer) => {
    if (typeof answer.json['token'] === 'string') canary(answer.json['token'])
    return answer
  })
}

const expectProblem = (
  answer: Answer,
  status: number,
  code: string,
  extra: Record<string, unknown> = {},
): void => {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect([answer.status, answer.json]).toEqual([
    status,
    { type: 'about:blank', title: expect.any(String), status, code, ...extra },
  ])
}

describe('POST /users/{id}/tokens', () => {
  it('shows the value once, uncached, with everything else about the credential', async () => {
    const answer = await issue(acme.adminToken, ids['jane'], { name: 'ci', expires_in_seconds: 3600 })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const { token, ...credential } = answer.json
    expect(token).toMatch(/^pat_[0-9a-f]{64}$/)
    const createdAt = new Date(String(credential['created_at'])).getTime()
    expect(credential).toEqual({
      id: String(token).slice(4, 20),
      kind: 'personal',
      name: 'ci',
      prefix: String(token).slice(0, 10),
      organization: 'acme',
      owner: ids['jane'],
      permissions: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      expires_at: new Date(createdAt + 3_600_000).toISOString(),
      effective_expires_at: new Date(createdAt + 3_600_000).toISOString(),
      last_used_at: null,
      last_used_ip: null,
      role: 'analyst',
      status_detail: null,
      blocked_by: null,
      status: 'active',
      allowed_cidrs: null,
      may_act: null,
    })
  })

  it('narrows to the permissions chosen, and to the addresses', async () => {
    const answer = await issue(acme.adminToken, ids['sam'], {
      name: 'narrow',
      permissions: [{ audience: API, scopes: ['models/m1:*'] }],
      allowed_cidrs: ['127.0.0.0/8', '2001:db8::/32'],
    })
    expect(answer.json).toMatchObject({
      permissions: [{ audience: API, scopes: ['models/m1:*'] }],
      allowed_cidrs: ['127.0.0.0/8', '2001:db8::/32'],
    })
    const exchanged = await requestExchange(acme.url, { subject_token: String(answer.json['token']) })
    expect(exchanged.json['scope']).toBe('models/m1:read models/m1:write')
  })

  it.each([
    ['an audience', [{ audience: REPORTS, scopes: ['reports:read'] }], { audience: REPORTS, scope: null }],
    [
      'a scope',
      [{ audience: API, scopes: ['models:read', 'models:write'] }],
      { audience: API, scope: 'models:write' },
    ],
    ['a wildcard', [{ audience: API, scopes: ['*:*'] }], { audience: API, scope: '*:*' }],
    [
      'an undeclared scope',
      [{ audience: API, scopes: ['datasets:write'] }],
      { audience: API, scope: 'datasets:write' },
    ],
  ])('refuses %s the owner does not hold', async (_name, permissions, extra) => {
    const answer = await issue(acme.adminToken, ids['jane'], { name: 'too much', permissions })
    expectProblem(answer, 422, 'permission_not_held', extra)
  })

  it('refuses a lifetime beyond the policy, naming rule, level and limit', async () => {
    const limit = {
      detail: 'max_lifetime of the organization policy',
      rule: 'max_lifetime',
      level: 'organization',
      limit_seconds: 7_776_000,
    }
    for (const wish of [
      { never_expires: true },
      { expires_in_seconds: 7_776_001 },
      { expires_at: '2126-01-01T00:00:00Z' },
    ]) {
      expectProblem(
        await issue(acme.adminToken, ids['jane'], { name: 'long', ...wish }),
        422,
        'policy_violation',
        limit,
      )
    }
    expect(
      (await issue(acme.adminToken, ids['jane'], { name: 'longest', expires_in_seconds: 7_776_000 })).status,
    ).toBe(201)
  })

  it('refuses a name the owner already uses', async () => {
    expectProblem(await issue(acme.adminToken, ids['jane'], { name: 'laptop' }), 409, 'token_name_taken')
  })

  it('keeps the limit of active tokens under parallel requests', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        issue(acme.adminToken, ids['ada'], { name: `parallel ${index}` }),
      ),
    )
    // Ada has one already.
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(9)
    const refused = answers.filter(({ status }) => status !== 201)
    for (const answer of refused) {
      expectProblem(answer, 409, 'token_limit_reached', {
        detail: 'At most 10 active tokens are allowed',
        limit: 10,
      })
    }
  })

  it.each<[string, Record<string, unknown>]>([
    ['no name', {}],
    ['an empty name', { name: '  ' }],
    ['a name of 101 characters', { name: 'x'.repeat(101) }],
    ['a control character in the name', { name: 'a\u0000b' }],
    ['an unknown member', { name: 'x', scopes: [] }],
    ['two lifetimes', { name: 'x', never_expires: true, expires_in_seconds: 5 }],
    ['an instant that has passed', { name: 'x', expires_at: '2020-01-01T00:00:00Z' }],
    ['half a second', { name: 'x', expires_in_seconds: 0.5 }],
    ['no permissions at all', { name: 'x', permissions: [] }],
    [
      'an audience named twice',
      {
        name: 'x',
        permissions: [
          { audience: API, scopes: ['models:read'] },
          { audience: API, scopes: ['datasets:read'] },
        ],
      },
    ],
    [
      'a wildcard the grammar does not know',
      { name: 'x', permissions: [{ audience: API, scopes: ['mod*:read'] }] },
    ],
    ['an address block with host bits', { name: 'x', allowed_cidrs: ['10.0.0.1/8'] }],
    ['an IPv6 block with host bits', { name: 'x', allowed_cidrs: ['2001:db8::1/32'] }],
    ['a mapped block with host bits', { name: 'x', allowed_cidrs: ['::ffff:10.0.0.1/104'] }],
    ['an address block with a zone', { name: 'x', allowed_cidrs: ['fe80::%eth0/10'] }],
    ['something that is no address block', { name: 'x', allowed_cidrs: ['example.com'] }],
  ])('refuses %s', async (_name, body) => {
    const answer = await issue(acme.adminToken, ids['jane'], body)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
  })

  it('answers 404 for users and organizations that are not there', async () => {
    for (const user of ['00000000-0000-7000-8000-000000000000', 'nobody', '%00']) {
      expectProblem(await issue(acme.adminToken, user, { name: 'x' }), 404, 'not_found')
    }
    const elsewhere = await issue(acme.adminToken, ids['jane'], { name: 'x', organization: 'default' })
    expect([elsewhere.status, elsewhere.json['code']]).toEqual([404, 'not_found'])
  })

  it('leaves an audit record with each credential, and none without', async () => {
    const issued = await acme.db
      .selectFrom('credentials')
      .select('id')
      .where('name', '<>', 'bootstrap')
      .execute()
    const events = await acme.db
      .selectFrom('audit_events')
      .select('credential_id')
      .where('type', '=', 'credential.issued')
      .execute()
    expect(events.map(({ credential_id }) => credential_id).sort()).toEqual(issued.map(({ id }) => id).sort())
  })
})

describe('who may issue', () => {
  it('is an organization admin, for members of the organization', async () => {
    expect((await issue(acme.adaPat, ids['jane'], { name: 'by ada' })).status).toBe(201)
  })

  it('is nobody for themselves: a credential makes none for its own owner', async () => {
    const answer = await issue(acme.adaPat, ids['ada'], { name: 'persistence' })
    expectProblem(answer, 403, 'forbidden', { detail: 'Sign in: a credential makes no credentials' })
  })

  it('is nobody without the scope', async () => {
    const answer = await issue(acme.janePat, ids['jane'], { name: 'x' })
    expectProblem(answer, 403, 'forbidden', { detail: 'The scope tokens:issue is needed' })
    expect(answer.headers.get('www-authenticate')).toBe(
      `Bearer error="insufficient_scope", scope="tokens:issue", ${RESOURCE_METADATA}`,
    )
  })

  it('is nobody for a user elsewhere: that user does not exist', async () => {
    expectProblem(await issue(acme.adaPat, ids['admin'], { name: 'x' }), 404, 'not_found')
  })

  it('is nobody for a user with more management rights', async () => {
    const acmeId = acme.db.selectFrom('organizations').select('id').where('slug', '=', 'acme')
    const platform = acme.db.selectFrom('roles').select('id').where('name', '=', 'platform-admin')
    await acme.db
      .updateTable('memberships')
      .set({ role_id: platform })
      .where('user_id', '=', ids['sam'] ?? '')
      .where('organization_id', '=', acmeId)
      .execute()
    const answer = await issue(acme.adaPat, ids['sam'], { name: 'x' })
    expectProblem(answer, 403, 'forbidden', {
      detail: 'The PAT would have rights beyond yours: every organization',
    })
    expect((await issue(acme.adminToken, ids['sam'], { name: 'by an equal' })).status).toBe(201)
  })

  it('and never gets more out of it later: a value Ada saw manages no further than she does', async () => {
    const member = acme.db.selectFrom('roles').select('id').where('name', '=', 'member')
    const platform = acme.db.selectFrom('roles').select('id').where('name', '=', 'platform-admin')
    const become = (role: typeof member) =>
      acme.db
        .updateTable('memberships')
        .set({ role_id: role })
        .where('user_id', '=', ids['sam'] ?? '')
        .execute()
    await become(member)
    const seen = String((await issue(acme.adaPat, ids['sam'], { name: 'seen by ada' })).json['token'])
    const byEqual = String(
      (await issue(acme.adminToken, ids['sam'], { name: 'seen by the platform' })).json['token'],
    )
    await become(platform)
    const list = async (token: string) => {
      const { json } = await callApi(acme.url, token, 'GET', '/users')
      return (json['items'] as { email: string }[]).map(({ email }) => email)
    }
    expect(await list(byEqual)).toContain('admin@localhost')
    expect(await list(seen)).not.toContain('admin@localhost')
  })
})

describe('GET /tokens', () => {
  it('lists own credentials, never their value', async () => {
    const answer = await callApi(acme.url, acme.janePat, 'GET', '/tokens')
    const items = answer.json['items'] as { name: string; owner: string }[]
    expect(new Set(items.map(({ owner }) => owner))).toEqual(new Set([ids['jane']]))
    expect(items.map(({ name }) => name)).toContain('laptop')
    expect(answer.text).not.toContain(acme.janePat)
    expect(answer.text).not.toContain(acme.janePat.slice(20, 60))
  })

  it('pages through all of them once', async () => {
    const names: string[] = []
    let cursor: unknown = ''
    do {
      const query = cursor ? `&cursor=${cursor}` : ''
      const { json } = await callApi(acme.url, acme.adaPat, 'GET', `/tokens?limit=3${query}`)
      const items = json['items'] as { name: string }[]
      expect(items.length).toBeLessThanOrEqual(3)
      names.push(...items.map(({ name }) => name))
      cursor = json['next_cursor']
    } while (cursor !== null)
    expect(names).toHaveLength(10)
    expect(new Set(names).size).toBe(10)
  })

  it.each([
    'cursor=LTI3MTgyMS0wNC0yMFQwMDowMDowMC4wMDBaIDAxMjM0NTY3ODlhYmNkZWY',
    'limit=0',
    'limit=201',
    'limit=x',
    'cursor=x',
    'unknown=1',
  ])('refuses ?%s', async (query) => {
    const answer = await callApi(acme.url, acme.janePat, 'GET', `/tokens?${query}`)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
  })

  it('wants a credential, and never says what is wrong with one', async () => {
    const none = await callApi(acme.url, undefined, 'GET', '/tokens')
    expectProblem(none, 401, 'unauthorized')
    expect(none.headers.get('www-authenticate')).toBe(`Bearer ${RESOURCE_METADATA}`)
    const answers = await Promise.all(
      ['x', acme.janePat.replace('pat_', 'key_'), 'a.b.c'].map((token) =>
        callApi(acme.url, token, 'GET', '/tokens'),
      ),
    )
    for (const answer of answers) {
      expectProblem(answer, 401, 'unauthorized')
      expect(answer.headers.get('www-authenticate')).toBe(
        `Bearer error="invalid_token", ${RESOURCE_METADATA}`,
      )
    }
  })
})

describe('methods', () => {
  it('that a path does not have are refused, naming those it has', async () => {
    const answer = await callApi(acme.url, acme.janePat, 'PATCH', '/tokens')
    expectProblem(answer, 405, 'method_not_allowed')
    expect(answer.headers.get('allow')).toBe('HEAD, GET, POST')
  })
})

describe('bodies', () => {
  const post = (body: string, type: string, encoding = 'identity') =>
    fetch(`${acme.url}/api/v1/users/${ids['jane']}/tokens`, {
      method: 'POST',
      body,
      headers: {
        'Content-Type': type,
        'Content-Encoding': encoding,
        Authorization: `Bearer ${acme.adminToken}`,
      },
    })

  it('must be JSON, well-formed and of at most 64 KiB', async () => {
    expect((await post('name=x', 'application/x-www-form-urlencoded')).status).toBe(415)
    expect((await post('{"name":', 'application/json')).status).toBe(400)
    expect((await post('[]', 'application/json')).status).toBe(400)
    expect((await post('{"name":"x"}', 'application/json', 'gzip')).status).toBe(415)
    expect((await post(JSON.stringify({ name: 'x'.repeat(70_000) }), 'application/json')).status).toBe(413)
  })
})

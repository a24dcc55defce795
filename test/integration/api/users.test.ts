import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { type Answer, callApi } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'
import { ISSUER } from '../../support/test-server.ts'

let acme: Acme
/** PAT of somebody whose role in acme has every scope for users, and does not reach further. */
let clerkPat: string
const ids: Record<string, string> = {}
const ZOE = 'zoe@beta.test'
const SETUP = `
organizations: [{ slug: beta, name: Beta }]
roles:
  - organization: acme
    name: clerk
    permissions: [{ audience: "${ISSUER}/api", scopes: ["users:*"] }]
users:
  - { email: clerk@acme.test, name: Clerk, memberships: [{ organization: acme, role: clerk }] }
  - { email: ${ZOE}, name: Zoe, memberships: [{ organization: beta, role: member }] }
  - email: lena@acme.test
    name: Lena
    memberships: [{ organization: acme, role: analyst }, { organization: beta, role: member }]
`

beforeAll(async () => {
  acme = await startAcme()
  const file = join(newDataDir(), 'people.yaml')
  writeFileSync(file, SETUP)
  await acme.apply([file])
  const { json } = await call('GET', '/users')
  for (const { email, id } of json['items'] as { email: string; id: string }[])
    ids[email.split('@')[0] ?? ''] = id
  clerkPat = await acme.issue('clerk@acme.test', { name: 'laptop' })
})
afterAll(() => acme.stop())

/** As the platform's admin. */
const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  callApi(acme.url, acme.adminToken, method, path, body, headers)

const outcome = ({ status, json }: Answer) => [status, json['code'], json['detail']]

const listEvents = (target: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['type', 'actor', 'subject', 'target', 'detail'])
    .where('target', '=', target)
    .orderBy('id')
    .execute()

const listEmails = async (query: string) => {
  const { status, json } = await call('GET', `/users${query}`)
  expect(status).toBe(200)
  const emails = (json['items'] as { email: string }[]).map(({ email }) => email)
  return { emails, cursor: json['next_cursor'] }
}

describe('GET /users', () => {
  it('finds an e-mail address in any case of letters', async () => {
    expect((await listEmails('?email=JANE%40acme.test')).emails).toEqual(['jane@acme.test'])
    expect((await listEmails('?email=nobody%40acme.test')).emails).toEqual([])
  })

  it.each(['%00', 'jane%00@acme.test', '%1f', '%7F', '%C2%80', '%0A'])(
    'refuses the control character in ?email=%s',
    async (email) => {
      const { status, json } = await call('GET', `/users?email=${email}`)
      expect([status, json]).toEqual([
        400,
        {
          type: 'about:blank',
          title: expect.any(String),
          status: 400,
          code: 'invalid_request',
          detail: 'email: must not hold control characters',
          problems: [{ path: 'email', message: 'must not hold control characters' }],
        },
      ])
    },
  )

  it('takes any other text, and finds nobody', async () => {
    for (const email of ['%20', "'", '%25', '%C3%BC', '%F0%9F%98%80'])
      expect((await listEmails(`?email=${email}`)).emails).toEqual([])
  })

  it.each([1, 2, 3])('pages through all of them once, oldest first, by %i', async (limit) => {
    const all = (await listEmails('')).emails
    expect(all[0]).toBe('admin@localhost')
    expect(new Set(all).size).toBe(7)
    const paged: string[] = []
    let next = ''
    do {
      const { emails, cursor } = await listEmails(`?limit=${limit}${next}`)
      paged.push(...emails)
      next = cursor === null ? '' : `&cursor=${cursor}`
    } while (next)
    expect(paged).toEqual(all)
  })
})

describe('POST /users', () => {
  it('makes a user who belongs nowhere yet, and records it', async () => {
    const answer = await call('POST', '/users', { email: 'New.Person@acme.test', name: 'Nü Person' })
    expect([answer.status, answer.json]).toEqual([
      201,
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        email: 'New.Person@acme.test',
        name: 'Nü Person',
        status: 'active',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        memberships: [],
      },
    ])
    const id = String(answer.json['id'])
    const shown = await call('GET', `/users/${id}`)
    expect(shown.json).toEqual(answer.json)
    expect(shown.headers.get('etag')).toBe(answer.headers.get('etag'))
    expect(await listEvents(`user:${id}`)).toEqual([
      { type: 'user.created', actor: ids['admin'], subject: id, target: `user:${id}`, detail: null },
    ])
  })

  it('refuses an e-mail address that is taken, in any case of letters', async () => {
    const answer = await call('POST', '/users', { email: 'JANE@acme.test', name: 'Another' })
    expect(outcome(answer)).toEqual([409, 'name_taken', 'There is a user with this e-mail address'])
  })

  it('gives an e-mail address to one of twenty who ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        call('POST', '/users', { email: `${index % 2 ? 'Race' : 'race'}@acme.test`, name: `No ${index}` }),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)])
    expect((await listEmails('?email=race%40acme.test')).emails).toHaveLength(1)
  })

  it('takes an e-mail address of 254 characters, and none of 255', async () => {
    const email = (length: number) => `${'x'.repeat(length - '@acme.test'.length)}@acme.test`
    expect((await call('POST', '/users', { email: email(254), name: 'Long' })).status).toBe(201)
    expect((await call('POST', '/users', { email: email(255), name: 'Longer' })).status).toBe(400)
  })

  const GOOD = { email: 'good@acme.test', name: 'Good' }
  it.each<[string, Record<string, unknown>]>([
    ['no name', { email: GOOD.email }],
    ['no e-mail address', { name: 'x' }],
    ['something that is no e-mail address', { ...GOOD, email: 'good' }],
    ['a control character', { ...GOOD, email: 'go\u0000od@acme.test' }],
    ['a name that turns text around', { ...GOOD, name: 'a\u202eb' }],
    ['a credential in the e-mail address', { ...GOOD, email: `pat_${'0'.repeat(64)}@acme.test` }],
    ...['id', 'status', 'role', 'owner', 'password_hash', 'memberships', 'created_at'].map(
      (member): [string, Record<string, unknown>] => [`the member ${member}`, { ...GOOD, [member]: 'x' }],
    ),
  ])('refuses %s', async (_name, body) => {
    expect((await call('POST', '/users', body)).json['code']).toBe('invalid_request')
    expect((await listEmails('?email=good%40acme.test')).emails).toEqual([])
  })
})

describe('GET /users/{user_id}', () => {
  it('shows the platform every membership, and an organization only its own', async () => {
    const path = `/users/${ids['lena']}`
    expect((await call('GET', path)).json['memberships']).toEqual([
      { organization: 'acme', role: 'analyst' },
      { organization: 'beta', role: 'member' },
    ])
    expect((await callApi(acme.url, acme.adaPat, 'GET', path)).json['memberships']).toEqual([
      { organization: 'acme', role: 'analyst' },
    ])
  })

  it('answers 404 for whoever is not there or beyond reach', async () => {
    for (const id of [ids['zoe'], ids['admin'], '00000000-0000-7000-8000-000000000000', 'x', '%00'])
      expect(outcome(await callApi(acme.url, acme.adaPat, 'GET', `/users/${id}`))).toEqual([
        404,
        'not_found',
        undefined,
      ])
  })

  it('shows a member whose role was deleted, without one', async () => {
    const roleless = await call('POST', '/users', { email: 'roleless@acme.test', name: 'Roleless' })
    const acmeId = acme.db.selectFrom('organizations').select('id').where('slug', '=', 'acme')
    await acme.db
      .insertInto('memberships')
      .values({
        user_id: String(roleless.json['id']),
        organization_id: acmeId,
        role_id: null,
        created_at: new Date(),
      })
      .execute()
    const { json } = await callApi(acme.url, acme.adaPat, 'GET', `/users/${roleless.json['id']}`)
    expect(json['memberships']).toEqual([{ organization: 'acme', role: null }])
  })
})

describe('PATCH /users/{user_id}', () => {
  const create = async (name: string): Promise<string> => {
    const answer = await call('POST', '/users', { email: `${name}@acme.test`, name })
    return `/users/${answer.json['id']}`
  }

  it('changes name and address, and records that they changed but not into what', async () => {
    const path = await create('changing')
    const answer = await call('PATCH', path, { name: 'Changed', email: 'Changed@acme.test' })
    expect(answer.json).toMatchObject({ name: 'Changed', email: 'Changed@acme.test', status: 'active' })
    expect((await call('GET', path)).json).toEqual(answer.json)
    const [, event] = await listEvents(`user:${path.slice(7)}`)
    expect(event).toEqual({
      type: 'user.updated',
      actor: ids['admin'],
      subject: path.slice(7),
      target: `user:${path.slice(7)}`,
      detail: { changed: ['email', 'name'] },
    })
  })

  it('records nothing when nothing changes, and each change of its own kind', async () => {
    const path = await create('still')
    const before = await call('GET', path)
    const same = await call('PATCH', path, { name: 'still', status: 'active' })
    expect(same.headers.get('etag')).toBe(before.headers.get('etag'))
    await call('PATCH', path, { name: 'Stiller', status: 'suspended' })
    await call('PATCH', path, { status: 'active' })
    const events = await listEvents(`user:${path.slice(7)}`)
    expect(events.map(({ type, detail }) => [type, detail]).sort()).toEqual([
      ['user.created', null],
      ['user.restored', { before: { status: 'suspended' }, after: { status: 'active' } }],
      ['user.suspended', { before: { status: 'active' }, after: { status: 'suspended' } }],
      ['user.updated', { changed: ['name'] }],
    ])
  })

  it('overwrites nothing its client has not seen', async () => {
    const path = await create('versioned')
    const seen = { 'If-Match': String((await call('GET', path)).headers.get('etag')) }
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) => call('PATCH', path, { name: `Writer ${index}` }, seen)),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412])
    expect(outcome(await call('DELETE', path, undefined, seen))).toEqual([
      412,
      'precondition_failed',
      undefined,
    ])
    const [now] = answers.filter(({ status }) => status === 200)
    expect((await call('GET', path)).json).toEqual(now?.json)
    const fresh = { 'If-Match': String(now?.headers.get('etag')) }
    expect((await call('DELETE', path, undefined, fresh)).status).toBe(204)
  })

  it('refuses an address that somebody else has, also when two want it at once', async () => {
    const paths = [await create('first'), await create('second')]
    const taken = await call('PATCH', String(paths[0]), { email: 'JANE@acme.test' })
    expect(outcome(taken)).toEqual([409, 'name_taken', 'There is a user with this e-mail address'])
    const answers = await Promise.all(paths.map((path) => call('PATCH', path, { email: 'wanted@acme.test' })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  it('changes the case of letters of an own address', async () => {
    const path = await create('case')
    expect((await call('PATCH', path, { email: 'CASE@acme.test' })).json['email']).toBe('CASE@acme.test')
  })

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['a list', []],
    ['a status that is for deletion alone', { status: 'deleted' }],
    ['null', { name: null }],
    ...['id', 'role', 'owner', 'password_hash', 'revoked_at', 'secret_hash'].map(
      (member): [string, unknown] => [`the member ${member}`, { name: 'x', [member]: 'x' }],
    ),
  ])('refuses %s, and changes nothing', async (_name, body) => {
    const before = await call('GET', `/users/${ids['sam']}`)
    const answer = await call('PATCH', `/users/${ids['sam']}`, body)
    expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    expect((await call('GET', `/users/${ids['sam']}`)).json).toEqual(before.json)
  })

  it('answers 404 for whoever is not there', async () => {
    for (const id of ['00000000-0000-7000-8000-000000000000', 'x'])
      expect((await call('PATCH', `/users/${id}`, { name: 'x' })).status).toBe(404)
  })
})

describe('who may change users', () => {
  const CHANGES: [string, string, unknown][] = [
    ['POST', '/users', { email: 'x@acme.test', name: 'x' }],
    ['PATCH', '/users/{jane}', { name: 'x' }],
    ['DELETE', '/users/{jane}', undefined],
  ]

  it.each(CHANGES)('is nobody without the scope: %s %s', async (method, path, body) => {
    const target = path.replace('{jane}', String(ids['jane']))
    const answer = await callApi(acme.url, acme.adaPat, method, target, body)
    expect(outcome(answer)).toEqual([403, 'forbidden', 'The scope users:write is needed'])
  })

  it.each(CHANGES)('is nobody whose rights end at their organization: %s %s', async (method, path, body) => {
    const target = path.replace('{jane}', String(ids['jane']))
    expect((await callApi(acme.url, clerkPat, 'GET', `/users/${ids['jane']}`)).status).toBe(200)
    const answer = await callApi(acme.url, clerkPat, method, target, body)
    expect(outcome(answer)).toEqual([
      403,
      'forbidden',
      'Changing users (an organization removes its member instead) takes rights in every organization',
    ])
    expect((await call('GET', `/users/${ids['jane']}`)).json['name']).toBe('Jane')
  })

  it('is nobody who only reads', async () => {
    for (const path of ['/users', `/users/${ids['jane']}`])
      expect(outcome(await callApi(acme.url, acme.janePat, 'GET', path))).toEqual([
        403,
        'forbidden',
        'The scope users:read is needed',
      ])
  })
})

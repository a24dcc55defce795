import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasPlatformAdmin, lockPlatformAdmins } from '../../../src/server/directory/platform-admin-store.ts'
import { lockUser } from '../../../src/server/directory/user-store.ts'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const call = (method: string, path: string, body?: unknown) =>
  callApi(acme.url, acme.adminToken, method, path, body)

const outcome = ({ status, json }: Answer) => [status, json['code'], json['detail']]

const findId = async (email: string): Promise<string | undefined> => {
  const { json } = await call('GET', `/users?email=${encodeURIComponent(email)}`)
  const [user] = json['items'] as { id: string }[]
  return user?.id
}

/** Brings a user into existence, with a role in each of these organizations. */
async function introduce(email: string, roles: Record<string, string>): Promise<string> {
  const organizations = Object.keys(roles).map((slug) => `{ slug: ${slug}, name: ${slug} }`)
  const memberships = Object.entries(roles).map(([slug, role]) => `{ organization: ${slug}, role: ${role} }`)
  const file = join(newDataDir(), 'user.yaml')
  writeFileSync(
    file,
    `organizations: [${organizations.filter((text) => !/acme|default/.test(text)).join()}]
users: [{ email: ${email}, name: Somebody, memberships: [${memberships.join()}] }]
`,
  )
  await acme.apply([file])
  return String(await findId(email))
}

const exchange = (pat: string) => requestExchange(acme.url, { subject_token: pat, audience: API })
const REFUSED = { error: 'invalid_request', error_description: 'subject_token is not valid' }

describe('suspending a user', () => {
  it('stops every use of what they own at once, and restoring gives it back', async () => {
    const path = `/users/${await findId('jane@acme.test')}`
    expect((await exchange(acme.janePat)).status).toBe(200)
    for (const round of [1, 2, 3]) {
      expect((await call('PATCH', path, { status: 'suspended' })).json['status']).toBe('suspended')
      expect([round, (await exchange(acme.janePat)).json]).toEqual([round, REFUSED])
      expect((await callApi(acme.url, acme.janePat, 'GET', '/tokens')).status).toBe(401)
      expect((await call('PATCH', path, { status: 'active' })).json['status']).toBe('active')
      expect((await exchange(acme.janePat)).json['scope']).toBe('datasets:read models:read')
      expect((await callApi(acme.url, acme.janePat, 'GET', '/tokens')).status).toBe(200)
    }
  })

  it('leaves them visible, and keeps anybody from issuing for them', async () => {
    const id = await introduce('away@acme.test', { acme: 'analyst' })
    await call('PATCH', `/users/${id}`, { status: 'suspended' })
    expect((await call('GET', `/users/${id}`)).json['status']).toBe('suspended')
    expect(outcome(await call('POST', `/users/${id}/tokens`, { name: 'x' }))).toEqual([
      403,
      'forbidden',
      'The user is suspended',
    ])
  })

  it('is recorded once, however often it is asked for', async () => {
    const id = await introduce('often@acme.test', { acme: 'analyst' })
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => call('PATCH', `/users/${id}`, { status: 'suspended' })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const events = await acme.db
      .selectFrom('audit_events')
      .select(['actor', 'detail'])
      .where('type', '=', 'user.suspended')
      .where('target', '=', `user:${id}`)
      .execute()
    expect(events).toEqual([
      {
        actor: await findId('admin@localhost'),
        detail: { before: { status: 'active' }, after: { status: 'suspended' } },
      },
    ])
  })

  it('is for others: nobody suspends or deletes themselves', async () => {
    const path = `/users/${await findId('admin@localhost')}`
    expect(outcome(await call('PATCH', path, { name: 'Root', status: 'suspended' }))).toEqual([
      403,
      'forbidden',
      'Nobody suspends themselves',
    ])
    expect(outcome(await call('DELETE', path))).toEqual([403, 'forbidden', 'Nobody deletes themselves'])
    expect((await call('PATCH', path, { name: 'Root' })).json).toMatchObject({
      name: 'Root',
      status: 'active',
    })
  })
})

describe('deleting a user', () => {
  it('kills what they own in every organization, each with its record', async () => {
    const email = 'leaver@acme.test'
    const id = await introduce(email, { acme: 'analyst', beta: 'member' })
    const pats = await Promise.all(
      [
        { name: 'one', organization: 'acme' },
        { name: 'two', organization: 'acme' },
        { name: 'three', organization: 'beta' },
      ].map((body) => acme.issue(email, body)),
    )
    const [revoked = '', ...live] = pats
    await callApi(acme.url, revoked, 'DELETE', `/tokens/${revoked.slice(4, 20)}`)
    expect((await call('DELETE', `/users/${id}`)).status).toBe(204)

    for (const pat of pats) {
      expect((await exchange(pat)).json).toEqual(REFUSED)
      expect((await callApi(acme.url, pat, 'GET', '/tokens')).status).toBe(401)
    }
    const admin = await findId('admin@localhost')
    const rows = await acme.db
      .selectFrom('credentials as c')
      .innerJoin('audit_events as e', 'e.credential_id', 'c.id')
      .innerJoin('organizations as o', 'o.id', 'e.organization_id')
      .select(['c.id', 'c.revoked_by', 'c.revoked_reason', 'e.actor', 'e.subject', 'e.reason', 'o.slug'])
      .where('c.owner_id', '=', id)
      .where('e.type', '=', 'credential.revoked')
      .where('e.reason', 'is not', null)
      .orderBy('o.slug')
      .execute()
    expect(rows).toEqual(
      live.map((pat, index) => ({
        id: pat.slice(4, 20),
        revoked_by: admin,
        revoked_reason: 'owner_deleted',
        actor: admin,
        subject: id,
        reason: 'owner_deleted',
        slug: ['acme', 'beta'][index],
      })),
    )
  })

  it('leaves a row without password, memberships and accounts elsewhere, and a record', async () => {
    const id = await introduce('erased@acme.test', { acme: 'analyst' })
    await acme.db.updateTable('users').set({ password_hash: '$argon2id$…' }).where('id', '=', id).execute()
    await sql`insert into identities values ('https://idp.test', 'x', ${id}, now())`.execute(acme.db)
    await call('DELETE', `/users/${id}`)
    expect((await sql`select from identities where user_id = ${id}`.execute(acme.db)).rows).toEqual([])
    const row = await acme.db
      .selectFrom('users')
      .select(['status', 'password_hash'])
      .where('id', '=', id)
      .executeTakeFirst()
    expect(row).toEqual({ status: 'deleted', password_hash: null })
    const memberships = await acme.db
      .selectFrom('memberships')
      .select('role_id')
      .where('user_id', '=', id)
      .execute()
    expect(memberships).toEqual([])
    const events = await acme.db
      .selectFrom('audit_events')
      .select(['type', 'actor', 'subject', 'detail'])
      .where('target', '=', `user:${id}`)
      .execute()
    expect(events).toEqual([
      {
        type: 'user.deleted',
        actor: await findId('admin@localhost'),
        subject: id,
        detail: null,
      },
    ])
  })

  it('makes them unknown everywhere', async () => {
    const id = await introduce('gone@acme.test', { acme: 'analyst' })
    await call('DELETE', `/users/${id}`)
    expect(await findId('gone@acme.test')).toBeUndefined()
    for (const [method, path, body] of [
      ['GET', `/users/${id}`, undefined],
      ['PATCH', `/users/${id}`, { status: 'active' }],
      ['DELETE', `/users/${id}`, undefined],
      ['POST', `/users/${id}/tokens`, { name: 'x' }],
      ['GET', `/organizations/acme/members/${id}`, undefined],
      ['POST', '/organizations/acme/members', { user_id: id, role: 'member' }],
    ] as const)
      expect([method, path, (await call(method, path, body)).status]).toEqual([method, path, 404])
  })

  it('frees the e-mail address for somebody who inherits nothing', async () => {
    const email = 'reused@acme.test'
    const before = await introduce(email, { acme: 'analyst' })
    const oldPat = await acme.issue(email, { name: 'laptop' })
    await call('DELETE', `/users/${before}`)
    const created = await call('POST', '/users', { email: 'Reused@acme.test', name: 'Somebody else' })
    const { id, memberships } = created.json
    expect([created.status, memberships]).toEqual([201, []])
    expect(id).not.toBe(before)
    expect((await exchange(oldPat)).json).toEqual(REFUSED)

    await call('POST', '/organizations/acme/members', { user_id: id, role: 'analyst' })
    const newPat = await acme.issue(email, { name: 'laptop' })
    const { json } = await callApi(acme.url, newPat, 'GET', '/tokens')
    expect((json['items'] as { id: string }[]).map((item) => item.id)).toEqual([newPat.slice(4, 20)])
    expect((await callApi(acme.url, newPat, 'GET', `/tokens/${oldPat.slice(4, 20)}`)).status).toBe(404)
    expect((await exchange(newPat)).status).toBe(200)
    expect((await exchange(oldPat)).json).toEqual(REFUSED)
  })

  it('leaves no credential alive that is being issued meanwhile', async () => {
    const id = await introduce('racing@acme.test', { acme: 'analyst' })
    const issue = (name: string) => call('POST', `/users/${id}/tokens`, { name })
    // All of them wait for the user's row, those that issue before the one that deletes.
    const asked = await acme.db.transaction().execute(async (transaction) => {
      await lockUser(transaction, id)
      const before = ['one', 'two', 'three'].map(issue)
      await waitForWaiting(3)
      const deletion = call('DELETE', `/users/${id}`)
      await waitForWaiting(4)
      const after = ['four', 'five'].map(issue)
      await waitForWaiting(6)
      return [deletion, ...before, ...after]
    })
    const [deleted, ...issued] = await Promise.all(asked)
    for (const { json } of issued) if (typeof json['token'] === 'string') canary(json['token'])
    expect(deleted?.status).toBe(204)
    expect(new Set(issued.map(({ status }) => status))).toEqual(new Set([201, 404]))
    const live = await acme.db
      .selectFrom('credentials')
      .select('id')
      .where('owner_id', '=', id)
      .where('revoked_at', 'is', null)
      .execute()
    expect(live).toEqual([])
  })
})

describe('the audit trail of an organization', () => {
  /** What is recorded of a user's life, with the organization it is recorded in. */
  const listLife = (id: string) =>
    acme.db
      .selectFrom('audit_events as e')
      .leftJoin('organizations as o', 'o.id', 'e.organization_id')
      .select(['e.type', 'o.slug', 'e.detail'])
      .where('e.target', '=', `user:${id}`)
      .where('e.type', 'in', ['user.suspended', 'user.restored', 'user.deleted'])
      .orderBy('e.occurred_at')
      .orderBy('o.slug')
      .execute()

  async function live(id: string): Promise<void> {
    await call('PATCH', `/users/${id}`, { status: 'suspended' })
    await call('PATCH', `/users/${id}`, { status: 'active' })
    expect((await call('DELETE', `/users/${id}`)).status).toBe(204)
  }
  const lifeIn = (...slugs: (string | null)[]) => [
    ...slugs.map((slug) => ({
      type: 'user.suspended',
      slug,
      detail: { before: { status: 'active' }, after: { status: 'suspended' } },
    })),
    ...slugs.map((slug) => ({
      type: 'user.restored',
      slug,
      detail: { before: { status: 'suspended' }, after: { status: 'active' } },
    })),
    ...slugs.map((slug) => ({ type: 'user.deleted', slug, detail: null })),
  ]

  it('shows its members suspended, restored and deleted, in each they belong to', async () => {
    const id = await introduce('lived@acme.test', { acme: 'analyst', beta: 'member' })
    await live(id)
    expect(await listLife(id)).toEqual(lifeIn('acme', 'beta'))
    const { json } = await callApi(acme.url, acme.adaPat, 'GET', `/audit-events?subject=${id}`)
    const seen = json['items'] as { type: string; organization: string }[]
    expect(seen.map(({ type, organization }) => [type, organization])).toEqual(
      expect.arrayContaining([
        ['user.suspended', 'acme'],
        ['user.restored', 'acme'],
        ['user.deleted', 'acme'],
      ]),
    )
    expect(new Set(seen.map(({ organization }) => organization))).toEqual(new Set(['acme']))
  })

  it('is the platform’s own for whoever belongs nowhere', async () => {
    const id = String((await call('POST', '/users', { email: 'no@where.test', name: 'x' })).json['id'])
    await live(id)
    expect(await listLife(id)).toEqual(lifeIn(null))
  })
})

describe('the last platform admin', () => {
  it('is neither suspended nor deleted by a key that could', async () => {
    const made = await call('POST', '/organizations/default/keys', { name: 'robot', role: 'platform-admin' })
    const key = canary(String(made.json['token']))
    const path = `/users/${await findId('admin@localhost')}`
    const NONE_LEFT = [409, 'last_platform_admin', undefined]
    expect(outcome(await callApi(acme.url, key, 'PATCH', path, { status: 'suspended' }))).toEqual(NONE_LEFT)
    expect(outcome(await callApi(acme.url, key, 'DELETE', path))).toEqual(NONE_LEFT)
    expect((await call('GET', path)).json['status']).toBe('active')

    const second = await introduce('second@acme.test', { default: 'platform-admin' })
    expect((await callApi(acme.url, key, 'PATCH', path, { status: 'suspended' })).status).toBe(200)
    const other = await callApi(acme.url, key, 'DELETE', `/users/${second}`)
    expect(outcome(other)).toEqual(NONE_LEFT)
    expect((await callApi(acme.url, key, 'PATCH', path, { status: 'active' })).status).toBe(200)
    expect((await callApi(acme.url, key, 'DELETE', `/users/${second}`)).status).toBe(204)
  })

  it('is who is left of two that suspend each other at once', async () => {
    const rival = await introduce('rival@acme.test', { default: 'platform-admin' })
    const rivalPat = await acme.issue('rival@acme.test', { name: 'laptop' })
    const admin = String(await findId('admin@localhost'))
    const suspend = (token: string, id: string) =>
      callApi(acme.url, token, 'PATCH', `/users/${id}`, { status: 'suspended' })

    // Both are let in before either can go on.
    const answers = await acme.db.transaction().execute(async (transaction) => {
      await lockPlatformAdmins(transaction)
      const asked = [suspend(acme.adminToken, rival), suspend(rivalPat, admin)]
      await waitForWaiting(2)
      return asked
    })
    const settled = await Promise.all(answers)
    expect(settled.map(({ status, json }) => [status, json['code']]).sort()).toEqual([
      [200, undefined],
      [409, 'last_platform_admin'],
    ])
    expect(await hasPlatformAdmin(acme.db)).toBe(true)
  })
})

/** Waits until so many statements of this database wait for a lock. */
async function waitForWaiting(count: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waiting: number }>`
      select count(*) as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(acme.db)
    if ((rows[0]?.waiting ?? 0) >= count) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateCredential } from '../../../src/protocol/credential.ts'
import { uuidV7 } from '../../../src/protocol/uuid.ts'
import type { AuditEvent } from '../../../src/server/ledger/event.ts'
import { appendAuditEvents } from '../../../src/server/ledger/store.ts'
import { type Acme, API, mistype, startAcme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { callApi, requestExchange } from '../../support/requests.ts'

let acme: Acme
let acmeId = ''
beforeAll(async () => {
  acme = await startAcme()
  const { id } = await acme.db
    .selectFrom('organizations')
    .select('id')
    .where('slug', '=', 'acme')
    .executeTakeFirstOrThrow()
  acmeId = id
})
afterAll(() => acme.stop())

type Event = Record<string, unknown> & { id: string; type: string; occurred_at: string }

async function readPage(query: string, token = acme.adminToken) {
  const answer = await callApi(acme.url, token, 'GET', `/audit-events${query}`)
  expect(answer.status, answer.text).toBe(200)
  return { items: answer.json['items'] as Event[], cursor: answer.json['next_cursor'] as string | null }
}

const read = async (query: string, token?: string): Promise<Event[]> => (await readPage(query, token)).items
const refusal = async (query: string, token = acme.adminToken) => {
  const { status, json } = await callApi(acme.url, token, 'GET', `/audit-events${query}`)
  return [status, json['code'], json['detail']]
}
const idOf = (credential: string): string => credential.slice(4, 20)
const positionOf = ({ occurred_at, id }: Event): string => `${occurred_at} ${id}`
const isNewestFirst = (events: readonly Event[]): boolean => {
  const positions = events.map(positionOf)
  return positions.join() === [...positions].sort().reverse().join()
}

/** Records with members of their own, straight into the table. */
const plant = (events: readonly Partial<AuditEvent>[]): Promise<void> =>
  appendAuditEvents(
    acme.db,
    events.map((event) => ({ type: 'exchange.granted', occurredAt: new Date(), ...event })),
  )

describe('an audit event', () => {
  it('tells of an exchange that was granted, with every member', async () => {
    const granted = await requestExchange(
      acme.url,
      { subject_token: acme.samPat, audience: API, scope: 'models:read' },
      { 'User-Agent': 'audit-test/1' },
    )
    canary(String(granted.json['access_token']))
    const requestId = granted.headers.get('x-request-id')
    expect(await read(`?request_id=${requestId}`)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        occurred_at: expect.stringMatching(/Z$/),
        type: 'exchange.granted',
        outcome: 'success',
        reason: null,
        organization: 'acme',
        subject: expect.any(String),
        actor: null,
        credential: idOf(acme.samPat),
        client: 'patmint-cli',
        target: null,
        audiences: [API],
        scopes: ['models:read'],
        token_id: expect.any(String),
        ip: '127.0.0.1',
        user_agent: 'audit-test/1',
        request_id: requestId,
        detail: null,
      },
    ])
  })

  it('tells the true cause of a refusal, and whose credential it was', async () => {
    const { headers } = await requestExchange(acme.url, { subject_token: acme.samPat, scope: 'models:admin' })
    const [event] = await read(`?request_id=${headers.get('x-request-id')}`)
    expect(event).toMatchObject({
      type: 'exchange.refused',
      outcome: 'failure',
      reason: 'audience_ambiguous',
      organization: 'acme',
      credential: idOf(acme.samPat),
    })
  })

  it('tells who did what to what, with its detail', async () => {
    await plant([
      { type: 'role.updated', organizationId: acmeId, actor: 'ada', target: 'role:spy', detail: { from: 1 } },
    ])
    expect(await read('?target=role:spy')).toMatchObject([
      { type: 'role.updated', outcome: 'success', actor: 'ada', target: 'role:spy', detail: { from: 1 } },
    ])
  })

  it('holds no credential somebody pasted where it does not belong', async () => {
    await requestExchange(acme.url, { subject_token: acme.samPat, audience: acme.janePat })
    const text = JSON.stringify(await read(`?credential=${idOf(acme.samPat)}&outcome=failure`))
    expect(text).toContain('[redacted]')
    expect(text).not.toContain(acme.janePat.slice(20))
  })
})

describe('a page of audit events', () => {
  it.each([1, 2, 3, 200])('is one of all, newest first, each once, by %i', async (limit) => {
    const together = new Date('2020-01-01T00:00:00.000Z')
    const target = `page:${limit}`
    await plant(Array.from({ length: 4 }, () => ({ occurredAt: together, target })))
    await plant(
      [1, 2, 3].map((second) => ({ occurredAt: new Date(together.getTime() + second * 1000), target })),
    )
    const paged: Event[] = []
    let next = ''
    do {
      const { items, cursor } = await readPage(`?target=${target}&limit=${limit}${next}`)
      expect(items.length).toBeLessThanOrEqual(limit)
      paged.push(...items)
      next = cursor === null ? '' : `&cursor=${cursor}`
    } while (next)
    expect(new Set(paged.map(({ id }) => id)).size).toBe(7)
    expect(paged.length).toBe(7)
    expect(isNewestFirst(paged)).toBe(true)
  })

  it('of everything begins with what happened last', async () => {
    await plant([{ type: 'user.created', target: 'user:last' }])
    const events = await read('?limit=50')
    expect(events[0]).toMatchObject({ type: 'user.created', target: 'user:last' })
    expect(isNewestFirst(events)).toBe(true)
  })

  it('takes no cursor but its own', async () => {
    const cursor = Buffer.from('2020-01-01T00:00:00.000Z not-a-uuid').toString('base64url')
    expect(await refusal(`?cursor=${cursor}`)).toEqual([
      400,
      'invalid_request',
      'cursor: is not one this list gave',
    ])
  })
})

describe('a filter', () => {
  const at = (second: number): Date => new Date(Date.UTC(2021, 0, 1, 0, 0, second))
  const requestId = uuidV7(at(4))
  beforeAll(() =>
    plant([
      { occurredAt: at(1), type: 'exchange.refused', subject: 'f-subject', clientId: 'f-client' },
      { occurredAt: at(2), type: 'api.refused', subject: 'f-subject', actor: 'f-actor', target: 'f:target' },
      { occurredAt: at(3), type: 'credential.reuse_detected', subject: 'f-subject', organizationId: acmeId },
      { occurredAt: at(4), subject: 'f-subject', credentialId: 'abcdef0123456789', requestId },
    ]),
  )

  const seconds = async (query: string): Promise<number[]> => {
    const events = await read(`?since=2021-01-01T00:00:00Z&until=2021-01-02T00:00:00Z&${query}`)
    return events.map(({ occurred_at }) => new Date(occurred_at).getUTCSeconds())
  }

  it.each([
    ['subject=f-subject', [4, 3, 2, 1]],
    ['subject=f-', []],
    ['type=exchange.refused', [1]],
    ['type=exchange.granted', [4]],
    ['type=organization.deleted', []],
    ['outcome=failure', [3, 2, 1]],
    ['outcome=success', [4]],
    ['outcome=success&type=api.refused', []],
    ['client=f-client', [1]],
    ['actor=f-actor', [2]],
    ['target=f:target', [2]],
    ['organization=acme', [3]],
    ['credential=abcdef0123456789', [4]],
    ['credential=abcdef0123456788', []],
    [`request_id=${requestId}`, [4]],
    [`request_id=${uuidV7(at(4))}`, []],
    ['subject=f-subject&outcome=failure&actor=f-actor', [2]],
  ])('%s finds exactly what it names', async (query, expected) => {
    expect(await seconds(query)).toEqual(expected)
  })

  it('since is inclusive, until is not, and both take an offset', async () => {
    const between = async (query: string) => (await read(`?subject=f-subject&${query}`)).length
    expect(await between('since=2021-01-01T00:00:02Z')).toBe(3)
    expect(await between('since=2021-01-01T00:00:02.001Z')).toBe(2)
    expect(await between('until=2021-01-01T00:00:02Z')).toBe(1)
    expect(await between('until=2021-01-01T00:00:02.001Z')).toBe(2)
    expect(await between(`until=${encodeURIComponent('2021-01-01T01:00:02+01:00')}`)).toBe(1)
    expect(await between('since=9999-12-31T23:59:59Z')).toBe(0)
    expect(await between('until=0000-01-01T00:00:00Z')).toBe(0)
  })

  it.each([
    'type=exchange',
    'type=exchange.granted&type=api.refused',
    'outcome=refused',
    'subject=',
    'subject=%00',
    'actor=%0A',
    'credential=abc',
    'request_id=1',
    'client=%20',
    'since=yesterday',
    'since=2021-01-01T00:00:00',
    'until=2021-13-01T00:00:00Z',
    'organization=Acme!',
    'limit=0',
    'limit=201',
    'secret_hash=x',
  ])('%s is refused', async (query) => {
    expect((await refusal(`?${query}`)).slice(0, 2)).toEqual([400, 'invalid_request'])
  })
})

describe('who sees what', () => {
  it('an admin sees their own organization, whatever they ask', async () => {
    await plant([{ type: 'user.created', subject: 'platform-only' }, { organizationId: acmeId }])
    await requestExchange(acme.url, { subject_token: acme.samPat, audience: 'https://nowhere.example.com' })
    const events = await read('?limit=200', acme.adaPat)
    expect(events.length).toBeGreaterThan(0)
    expect(new Set(events.map(({ organization }) => organization))).toEqual(new Set(['acme']))
    expect(await read('?subject=platform-only', acme.adaPat)).toEqual([])
    expect(await read('?subject=platform-only')).toHaveLength(1)
    expect(await read('?organization=acme&limit=200', acme.adaPat)).toEqual(events)
  })

  it.each(['default', 'nowhere'])(
    'for an admin of another, the organization %s does not exist',
    async (slug) => {
      expect(await refusal(`?organization=${slug}`, acme.adaPat)).toEqual([404, 'not_found', undefined])
    },
  )

  it('the platform sees an attempt with a credential nobody knows, and nobody else does', async () => {
    const { headers } = await requestExchange(acme.url, {
      subject_token: canary(generateCredential('personal', randomBytes).reveal()),
    })
    const query = `?request_id=${headers.get('x-request-id')}`
    expect(await read(query)).toMatchObject([
      { type: 'exchange.refused', reason: 'credential_unknown', organization: null, subject: null },
    ])
    expect(await read(query, acme.adaPat)).toEqual([])
  })

  it('the platform finds the records of an organization that was deleted', async () => {
    const now = new Date()
    const id = uuidV7(now)
    await acme.db
      .insertInto('organizations')
      .values({ id, slug: 'gone', name: 'Gone', created_at: now })
      .execute()
    await plant([{ type: 'organization.deleted', organizationId: id, target: 'organization:gone' }])
    await acme.db.updateTable('organizations').set({ deleted_at: now }).where('id', '=', id).execute()
    expect(await read('?organization=gone')).toMatchObject([
      { type: 'organization.deleted', organization: 'gone', target: 'organization:gone' },
    ])
    expect(await refusal('?organization=nowhere')).toEqual([404, 'not_found', undefined])
  })

  it('is for audit:read alone', async () => {
    expect((await refusal('', acme.janePat)).slice(0, 2)).toEqual([403, 'forbidden'])
    const { status } = await callApi(acme.url, mistype(acme.adaPat), 'GET', '/audit-events')
    expect(status).toBe(401)
  })
})

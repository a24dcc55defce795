// What was cancelled because it was not true, and is true again: it is told of, once. And what goes when its end is long over.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callApi } from '../../support/requests.ts'
import { CHAT, DAY_SECONDS, type NoticeDesk, startNoticeDesk } from './notice-desk.ts'

const NO_RULES = {
  max_lifetime_seconds: null,
  default_lifetime_seconds: null,
  idle_timeout_seconds: null,
  access_token_max_ttl_seconds: null,
  max_active_tokens: 100,
  applies_to: 'all',
  exempt_roles: [],
}

let desk: NoticeDesk
beforeAll(async () => {
  desk = await startNoticeDesk()
})
afterAll(() => desk.stop())

async function setPolicy(maxLifetimeSeconds: number | null): Promise<void> {
  const { headers } = await callApi(desk.url, desk.adminToken, 'GET', '/policy')
  const policy = { ...NO_RULES, max_lifetime_seconds: maxLifetimeSeconds }
  const ifMatch = { 'If-Match': headers.get('etag') ?? '' }
  const { status } = await callApi(desk.url, desk.adminToken, 'PUT', '/policy', policy, ifMatch)
  expect(status).toBe(200)
}

/** State and reason of a notice. */
async function stateOf(id: string | undefined): Promise<unknown[]> {
  const { items } = await desk.call('GET', '/notices?limit=200')
  const notice = (items as Record<string, unknown>[]).find((one) => one['id'] === id)
  return [notice?.['state'], notice?.['reason']]
}

/** A notice that is due in four days, of a credential with eight to live; it waits. */
async function openNotice(name: string): Promise<string> {
  await desk.issue('sam@acme.test', { name, expires_in_seconds: 8 * DAY_SECONDS })
  desk.setDays(4)
  const [id = '', ...more] = await desk.look()
  expect(more).toEqual([])
  return id
}

const settle = (id: string, state: string, reason: string | null): Promise<unknown> =>
  desk.db
    .updateTable('notices')
    .set({ state: state as 'cancelled', reason, changed_at: new Date(Date.now() + 4 * DAY_SECONDS * 1000) })
    .where('id', '=', id)
    .execute()

describe('a notice that was cancelled', () => {
  it('because a policy was lifted is sent when the policy is set again, under the same id', async () => {
    desk.setDays(4)
    await setPolicy(10 * DAY_SECONDS)
    const ids = await desk.look()
    // Of Jane, Sam, Ada and whoever is the platform admin.
    expect(ids.length).toBeGreaterThanOrEqual(3)
    await setPolicy(null)
    await desk.deliver(ids)
    expect(await stateOf(ids[0])).toEqual(['cancelled', 'end_moved'])
    expect(await desk.look()).toEqual([])
    await setPolicy(10 * DAY_SECONDS)
    const again = await desk.look()
    expect(again.toSorted()).toEqual(ids.toSorted())
    expect(await stateOf(ids[0])).toEqual(['pending', null])
    await desk.deliver(again)
    expect(desk.chat.map(({ id }) => id).sort()).toEqual(ids.toSorted())
    expect(await desk.look()).toEqual([])
    await setPolicy(null)
  })

  it('because its owner was suspended waits again when they are back, and not before', async () => {
    const id = await openNotice('suspended')
    const { items } = await desk.call('GET', '/users?email=sam@acme.test')
    const path = `/users/${(items as { id: string }[])[0]?.id}`
    await desk.call('PATCH', path, { status: 'suspended' })
    await desk.deliver([id])
    expect(await stateOf(id)).toEqual(['cancelled', 'credential_stopped'])
    expect(await desk.look()).toEqual([])
    await desk.call('PATCH', path, { status: 'active' })
    expect(await desk.look()).toEqual([id])
    await desk.deliver([id])
    expect(await stateOf(id)).toEqual(['delivered', null])
  })

  it('because its receiver was missing from a deployment waits again where there is one', async () => {
    const id = await openNotice('receiver')
    await desk.deliver([id], { webhooks: new Map() })
    expect(await stateOf(id)).toEqual(['cancelled', 'receiver_removed'])
    expect(await desk.look({ receivers: [{ ...CHAT, receiver: 'other' }] })).not.toContain(id)
    expect(await desk.look()).toEqual([id])
    await desk.deliver([id])
  })

  it('because there was nobody to tell is held against the facts again six hours later, and not at every look', async () => {
    const id = await openNotice('nobody')
    await settle(id, 'cancelled', 'nobody_to_tell')
    desk.setDays(4.249)
    expect(await desk.look()).toEqual([])
    desk.setDays(4.251)
    expect(await desk.look()).toEqual([id])
    await desk.deliver([id])
  })

  it.each([
    ['cancelled', 'nearer_notice'],
    ['delivered', null],
    ['failed', 'the receiver answered 500'],
  ])('stays so when it is %s: %s', async (state, reason) => {
    const id = await openNotice(`stays ${state}`)
    await settle(id, state, reason)
    expect(await desk.look()).toEqual([])
    expect(await stateOf(id)).toEqual([state, reason])
  })

  it('gets one job, however many look at once', async () => {
    const id = await openNotice('raced')
    await settle(id, 'cancelled', 'end_moved')
    const found = await Promise.all(Array.from({ length: 5 }, () => desk.look()))
    expect(found.flat()).toEqual([id])
  })
})

describe('a notice whose end is over', () => {
  it('is removed when it was kept for as long as it is to be, and no day before', async () => {
    const count = async (): Promise<number> =>
      ((await desk.call('GET', '/notices?limit=200'))['items'] as unknown[]).length
    const last = 8 + 30
    desk.setDays(last + 100)
    const kept = await count()
    expect(kept).toBeGreaterThan(3)
    await desk.look({ keepDays: last + 100 })
    expect(await count()).toBe(kept)
    await desk.look({ keepDays: 1 })
    expect(await count()).toBe(0)
  })
})

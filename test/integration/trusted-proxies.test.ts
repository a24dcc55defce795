// Where a client is, over HTTP: the tests connect from 127.0.0.1, which is a trusted proxy of one server and nobody in
// particular to the other.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../support/acme.ts'
import { callApi, requestExchange } from '../support/requests.ts'

const OFFICE = '192.0.2.0/24'
const CLIENT = '192.0.2.7'
const STRANGER = '198.51.100.7'
const REFUSED = { error: 'invalid_request', error_description: 'subject_token is not valid' }

const exchange = (acme: Acme, pat: string, headers: Record<string, string>) =>
  requestExchange(acme.url, { subject_token: pat, audience: API }, headers)

async function lastEvent(acme: Acme, pat: string) {
  return acme.db
    .selectFrom('audit_events')
    .select(['type', 'reason', 'ip'])
    .where('credential_id', '=', pat.slice(4, 20))
    .orderBy('occurred_at', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
}

const issueForOffice = (acme: Acme, name: string): Promise<string> =>
  acme.issue('jane@acme.test', { name, allowed_cidrs: [OFFICE] })

describe('a server without trusted proxies', () => {
  let acme: Acme
  let pat: string
  beforeAll(async () => {
    acme = await startAcme()
    pat = await issueForOffice(acme, 'office')
  })
  afterAll(() => acme.stop())

  it.each([
    ['X-Forwarded-For', CLIENT],
    ['X-Forwarded-For', `${CLIENT}, 127.0.0.1`],
    ['Forwarded', `for=${CLIENT}`],
    ['X-Real-IP', CLIENT],
  ])('is not talked into another address by %s: %s', async (header, value) => {
    const answer = await exchange(acme, pat, { [header]: value })
    expect([answer.status, answer.json]).toEqual([400, REFUSED])
    expect(await lastEvent(acme, pat)).toEqual({
      type: 'exchange.refused',
      reason: 'address_not_allowed',
      ip: '127.0.0.1',
    })
  })

  it('keeps the API shut likewise', async () => {
    const answer = await callApi(acme.url, pat, 'GET', '/tokens', undefined, { 'X-Forwarded-For': CLIENT })
    expect(answer.status).toBe(401)
  })
})

describe('a server that trusts 127.0.0.1 and 10.0.0.0/8', () => {
  let acme: Acme
  let pat: string
  beforeAll(async () => {
    acme = await startAcme({ PATMINT_TRUSTED_PROXIES: '127.0.0.1/32, 10.0.0.0/8' })
    pat = await issueForOffice(acme, 'office')
  })
  afterAll(() => acme.stop())

  it.each([
    ['one proxy', CLIENT],
    ['several', `${CLIENT}, 10.1.1.1, 10.0.0.2`],
    ['a port', `${CLIENT}:50123`],
    ['an address the client made up', `${STRANGER}, ${CLIENT}, 10.0.0.2`],
  ])('lets the client in from the office: %s', async (_, forwardedFor) => {
    expect((await exchange(acme, pat, { 'X-Forwarded-For': forwardedFor })).status).toBe(200)
    expect(await lastEvent(acme, pat)).toEqual({ type: 'exchange.granted', reason: null, ip: CLIENT })
  })

  it.each([
    ['elsewhere', STRANGER, STRANGER],
    ['elsewhere, saying they are in the office', `${CLIENT}, ${STRANGER}`, STRANGER],
    ['elsewhere, saying a proxy said so', `${CLIENT}, 10.0.0.9, ${STRANGER}, 10.0.0.2`, STRANGER],
    ['behind an entry that is no address', `${CLIENT}, unknown`, '127.0.0.1'],
  ])('keeps a client out who is %s', async (_, forwardedFor, ip) => {
    const answer = await exchange(acme, pat, { 'X-Forwarded-For': forwardedFor })
    expect([answer.status, answer.json]).toEqual([400, REFUSED])
    expect(await lastEvent(acme, pat)).toEqual({
      type: 'exchange.refused',
      reason: 'address_not_allowed',
      ip,
    })
  })

  it('keeps a client out whom no proxy speaks for', async () => {
    expect((await exchange(acme, pat, { Forwarded: `for=${CLIENT}` })).json).toEqual(REFUSED)
  })

  it('notes the client, not the proxy, as where a credential was last used from', async () => {
    const fresh = await issueForOffice(acme, 'fresh')
    const headers = { 'X-Forwarded-For': `${CLIENT}, 10.0.0.2` }
    const { json } = await callApi(
      acme.url,
      fresh,
      'GET',
      `/tokens/${fresh.slice(4, 20)}`,
      undefined,
      headers,
    )
    expect([json['last_used_ip'], json['last_used_at']]).toEqual([CLIENT, expect.any(String)])
  })
})

describe('a server that trusts IPv6 proxies', () => {
  it('has no trust in IPv4 ones', async () => {
    const acme = await startAcme({ PATMINT_TRUSTED_PROXIES: '::/0' })
    const pat = await issueForOffice(acme, 'office')
    expect((await exchange(acme, pat, { 'X-Forwarded-For': CLIENT })).json).toEqual(REFUSED)
    await acme.stop()
  })
})

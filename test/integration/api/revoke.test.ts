import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const path = (pat: string): string => `/tokens/${pat.slice(4, 20)}`

describe('DELETE /tokens/{id}', () => {
  it('stops a credential at once, also one that was just used', async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'spare' })
    expect((await requestExchange(acme.url, { subject_token: spare })).status).toBe(200)
    const answer = await callApi(acme.url, acme.janePat, 'DELETE', path(spare))
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await requestExchange(acme.url, { subject_token: spare })).json).toEqual({
      error: 'invalid_request',
      error_description: 'subject_token is not valid',
    })
    expect((await callApi(acme.url, spare, 'GET', '/tokens')).status).toBe(401)
    expect((await callApi(acme.url, acme.janePat, 'GET', path(spare))).json['status']).toBe('revoked')
  })

  it('may be repeated, and is recorded once', async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'spare' })
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => callApi(acme.url, acme.janePat, 'DELETE', path(spare))),
    )
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204])
    const events = await acme.db
      .selectFrom('audit_events')
      .select(['subject', 'actor', 'ip'])
      .where('type', '=', 'credential.revoked')
      .where('credential_id', '=', spare.slice(4, 20))
      .execute()
    expect(events).toHaveLength(1)
  })

  it('frees the name for another', async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'reused' })
    await callApi(acme.url, acme.janePat, 'DELETE', path(spare))
    expect(await acme.issue('jane@acme.test', { name: 'reused' })).toMatch(/^pat_/)
  })

  it("answers 404 for another user's credential, and leaves it alone", async () => {
    for (const method of ['GET', 'DELETE']) {
      for (const id of [acme.samPat.slice(4, 20), '0000000000000000', 'x', '%00']) {
        const answer = await callApi(acme.url, acme.janePat, method, `/tokens/${id}`)
        expect([answer.status, answer.json['code']]).toEqual([404, 'not_found'])
      }
    }
    expect((await requestExchange(acme.url, { subject_token: acme.samPat, audience: API })).status).toBe(200)
  })

  it('is not for a credential narrowed to something else', async () => {
    const narrow = await acme.issue('jane@acme.test', {
      name: 'narrow',
      permissions: [{ audience: API, scopes: ['models:read'] }],
    })
    const answer = await callApi(acme.url, narrow, 'DELETE', path(acme.janePat))
    expect([answer.status, answer.json['code']]).toEqual([403, 'forbidden'])
  })
})

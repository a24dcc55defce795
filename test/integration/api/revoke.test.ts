import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { newDataDir } from '../../support/server-process.ts'

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

describe('a credential of one of the organizations its owner belongs to', () => {
  const LENA = 'lena@acme.test'
  let acmePat = ''
  let betaPat = ''
  beforeAll(async () => {
    const file = join(newDataDir(), 'beta.yaml')
    const memberships = '[{ organization: acme, role: member }, { organization: beta, role: member }]'
    writeFileSync(
      file,
      `organizations: [{ slug: beta, name: Beta }]
users: [{ email: ${LENA}, name: Lena, memberships: ${memberships} }]
`,
    )
    await acme.apply([file])
    acmePat = await acme.issue(LENA, { name: 'of acme', organization: 'acme' })
    betaPat = await acme.issue(LENA, { name: 'of beta', organization: 'beta' })
  })

  const listIds = async (pat: string): Promise<string[]> => {
    const { json } = await callApi(acme.url, pat, 'GET', '/tokens')
    return (json['items'] as { id: string }[]).map(({ id }) => id)
  }

  it('sees and revokes nothing of another', async () => {
    expect(await listIds(acmePat)).toEqual([acmePat.slice(4, 20)])
    for (const method of ['GET', 'DELETE']) {
      const answer = await callApi(acme.url, acmePat, method, path(betaPat))
      expect([method, answer.status, answer.json['code']]).toEqual([method, 404, 'not_found'])
    }
    const untouched = await callApi(acme.url, betaPat, 'GET', path(betaPat))
    expect(untouched.json).toMatchObject({ organization: 'beta', status: 'active' })
  })

  it('is recorded as revoked in its own', async () => {
    expect((await callApi(acme.url, betaPat, 'DELETE', path(betaPat))).status).toBe(204)
    const events = await acme.db
      .selectFrom('audit_events as e')
      .innerJoin('organizations as o', 'o.id', 'e.organization_id')
      .select('o.slug')
      .where('e.type', '=', 'credential.revoked')
      .where('e.credential_id', '=', betaPat.slice(4, 20))
      .execute()
    expect(events).toEqual([{ slug: 'beta' }])
  })
})

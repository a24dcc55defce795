import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, mistype, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { ISSUER } from '../../support/test-server.ts'
import { eventsOf, forge, forgeSecretOf, idOf, pathOf } from './credential-desk.ts'
import { DirectoryDesk } from './directory-desk.ts'

let acme: Acme
let desk: DirectoryDesk
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
})
afterAll(() => acme.stop())

const call = (token: string) => callApi(acme.url, token, 'GET', '/tokens')
const lastRefusal = async (credential: string) =>
  (await eventsOf(acme, idOf(credential), 'api.refused')).at(-1)

describe('a credential that the API refuses', () => {
  it('is recorded with the true cause, which the caller never learns', async () => {
    const janeId = await desk.findUserId('jane@acme.test')
    const issue = (name: string, body = {}) => acme.issue('jane@acme.test', { name, ...body })
    const revoked = await issue('revoked')
    await callApi(acme.url, acme.janePat, 'DELETE', pathOf(revoked))
    const elsewhere = await issue('elsewhere', { allowed_cidrs: ['192.0.2.0/24'] })
    const unknown = await call(forge('0'.repeat(16)))
    const refusals = [
      [revoked, 'credential_revoked'],
      [elsewhere, 'address_not_allowed'],
      [forgeSecretOf(acme.janePat), 'secret_mismatch'],
    ] as const
    for (const [credential, reason] of refusals) {
      const answer = await call(credential)
      expect([answer.status, answer.text]).toEqual([401, unknown.text])
      expect(answer.headers.get('www-authenticate')).toBe(unknown.headers.get('www-authenticate'))
      expect(await lastRefusal(credential)).toEqual({
        type: 'api.refused',
        reason,
        subject: janeId,
        actor: null,
        organization: 'acme',
        ip: '127.0.0.1',
        detail: null,
      })
    }
  })

  it('is recorded behind an access token, too', async () => {
    const pat = await acme.issue('ada@acme.test', { name: 'for a token' })
    const { json } = await requestExchange(acme.url, { subject_token: pat, audience: `${ISSUER}/api` })
    await callApi(acme.url, pat, 'DELETE', pathOf(pat))
    expect((await call(String(json['access_token']))).status).toBe(401)
    expect(await lastRefusal(pat)).toMatchObject({ reason: 'credential_revoked', organization: 'acme' })
  })

  it('is recorded of a credential that does not exist, like one whose secret is wrong', async () => {
    const unknown = forge('0'.repeat(16))
    expect((await call(unknown)).status).toBe(401)
    expect(await lastRefusal(unknown)).toMatchObject({
      type: 'api.refused',
      reason: 'credential_unknown',
      organization: null,
      subject: null,
    })
  })

  it('is not recorded of what is no credential by its form', async () => {
    const count = async (): Promise<number> =>
      (await acme.db.selectFrom('audit_events').select('id').where('type', '=', 'api.refused').execute())
        .length
    const before = await count()
    for (const token of ['x', 'a.b.c', mistype(acme.janePat)]) await call(token)
    await callApi(acme.url, undefined, 'GET', '/tokens')
    expect(await count()).toBe(before)
  })
})

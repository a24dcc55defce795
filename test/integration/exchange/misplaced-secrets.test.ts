import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

// The secrecy project then finds the credential in no database and no log.
describe('a credential in the wrong place', () => {
  it('as audience, scope, client, user agent, actor or query is refused, or taken for what it is not', async () => {
    const pat = acme.janePat
    const good = { subject_token: pat }
    const statuses = await Promise.all([
      requestExchange(acme.url, { ...good, audience: pat }),
      requestExchange(acme.url, { ...good, audience: `${pat.slice(0, 4)}\0${pat.slice(4)}` }),
      requestExchange(acme.url, { ...good, scope: pat }),
      requestExchange(acme.url, { ...good, scope: `models:read ${pat}` }),
      requestExchange(acme.url, { ...good, client_id: pat }),
      requestExchange(acme.url, { ...good, subject_token_type: pat }),
      requestExchange(acme.url, { ...good, actor_token: pat, actor_token_type: 'x' }),
      requestExchange(acme.url, { ...good, unknown_parameter: pat }),
      requestExchange(acme.url, good, { 'User-Agent': `tool ${pat}` }),
      requestExchange(acme.url, good, { Authorization: `Bearer ${pat}` }),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([400, 400, 400, 400, 401, 400, 400, 200, 200, 400])
  })

  it('in a path, a query or a body of the management API is refused and forgotten', async () => {
    const pat = acme.janePat
    const answers = await Promise.all([
      callApi(acme.url, pat, 'DELETE', `/tokens/${pat}`),
      callApi(acme.url, pat, 'GET', `/tokens?cursor=${pat}`),
      callApi(acme.url, pat, 'GET', `/${pat}`),
      callApi(acme.url, acme.adminToken, 'GET', `/users?email=${pat}`),
      callApi(acme.url, acme.adminToken, 'POST', `/users/${crypto.randomUUID()}/tokens`, {
        name: `my ${pat}`,
      }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 404, 200, 400])
    expect(answers.filter(({ text }) => text.includes(pat))).toEqual([])
  })
})

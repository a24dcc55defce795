import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { type Answer, callApi, requestExchange } from '../../support/requests.ts'

let acme: Acme
let janeId = ''
let samId = ''
let adaId = ''
beforeAll(async () => {
  acme = await startAcme()
  const users = await callApi(acme.url, acme.adminToken, 'GET', '/users')
  const idOf = new Map((users.json['items'] as { email: string; id: string }[]).map((u) => [u.email, u.id]))
  janeId = idOf.get('jane@acme.test') ?? ''
  samId = idOf.get('sam@acme.test') ?? ''
  adaId = idOf.get('ada@acme.test') ?? ''
})
afterAll(() => acme.stop())

const idOf = (value: string): string => value.slice(4, 20)
const TOKENS = '/organizations/acme/tokens'
const asAda = (method: string, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  callApi(acme.url, acme.adaPat, method, path, undefined, headers)

const listIds = async (path: string, token = acme.adaPat): Promise<string[]> => {
  const answer = await callApi(acme.url, token, 'GET', path)
  expect(answer.status).toBe(200)
  return (answer.json['items'] as { id: string }[]).map(({ id }) => id)
}

async function makeKey(name: string): Promise<string> {
  const body = { name, role: 'member' }
  const { json } = await callApi(acme.url, acme.adaPat, 'POST', '/organizations/acme/keys', body)
  canary(String(json['token']))
  return String(json['id'])
}

const revocationsOf = (id: string) =>
  acme.db
    .selectFrom('audit_events')
    .select(['actor', 'subject'])
    .where('type', '=', 'credential.revoked')
    .where('credential_id', '=', id)
    .execute()

describe('GET /organizations/{slug}/tokens', () => {
  it("shows the organization's admin every credential in it, of whoever it is, and none of another", async () => {
    const own = [acme.janePat, acme.samPat, acme.adaPat].map(idOf)
    expect((await listIds(TOKENS)).sort()).toEqual(own.sort())
    expect((await listIds(TOKENS, acme.adminToken)).sort()).toEqual(own.sort())
    expect(await listIds('/organizations/default/tokens', acme.adminToken)).toEqual([idOf(acme.adminToken)])
  })

  it('shows what an exchange would see, and never a secret', async () => {
    const answer = await asAda('GET', `${TOKENS}/${idOf(acme.janePat)}`)
    expect(answer.json).toMatchObject({
      id: idOf(acme.janePat),
      kind: 'personal',
      owner: janeId,
      organization: 'acme',
      role: 'analyst',
      status: 'active',
    })
    expect((await asAda('GET', TOKENS)).text).not.toContain(acme.janePat.slice(20, 60))
  })

  it('filters by owner and by kind', async () => {
    expect(await listIds(`${TOKENS}?owner=${janeId}`)).toEqual([idOf(acme.janePat)])
    expect(await listIds(`${TOKENS}?owner=${samId}&kind=personal`)).toEqual([idOf(acme.samPat)])
    expect(await listIds(`${TOKENS}?kind=organization`)).toEqual([])
    const key = await makeKey('ci')
    expect(await listIds(`${TOKENS}?kind=organization`)).toEqual([key])
    expect(await listIds(`${TOKENS}?owner=${janeId}&kind=organization`)).toEqual([])
  })

  it('pages through all of them, each once', async () => {
    const all = await listIds(TOKENS)
    const seen: string[] = []
    let cursor = ''
    do {
      const { json } = await asAda('GET', `${TOKENS}?limit=1${cursor}`)
      seen.push(...(json['items'] as { id: string }[]).map(({ id }) => id))
      cursor = json['next_cursor'] === null ? '' : `&cursor=${json['next_cursor']}`
    } while (cursor)
    expect(seen).toEqual(all)
    expect(seen.length).toBeGreaterThan(2)
  })

  it.each(['owner=x', 'kind=pat', 'limit=0', 'limit=201', 'cursor=x', 'role=admin'])(
    'refuses ?%s',
    async (query) => {
      const answer = await asAda('GET', `${TOKENS}?${query}`)
      expect([answer.status, answer.json['code']]).toEqual([400, 'invalid_request'])
    },
  )
})

describe('DELETE /organizations/{slug}/tokens/{id}', () => {
  it("ends a member's credential at once; the record names the admin and the owner", async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'spare' })
    expect((await requestExchange(acme.url, { subject_token: spare })).status).toBe(200)
    const answer = await asAda('DELETE', `${TOKENS}/${idOf(spare)}`)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect((await requestExchange(acme.url, { subject_token: spare })).status).toBe(400)
    expect(await revocationsOf(idOf(spare))).toEqual([{ actor: adaId, subject: janeId }])
    expect((await asAda('DELETE', `${TOKENS}/${idOf(spare)}`)).status).toBe(204)
    expect(await revocationsOf(idOf(spare))).toHaveLength(1)
  })

  it('ends an API key; the record names the key as its subject', async () => {
    const id = await makeKey('short-lived')
    expect((await asAda('DELETE', `${TOKENS}/${id}`)).status).toBe(204)
    expect((await asAda('GET', `${TOKENS}/${id}`)).json['status']).toBe('revoked')
    expect(await revocationsOf(id)).toEqual([{ actor: adaId, subject: `key:${id}` }])
  })

  it('leaves a credential alone that is not as the admin saw it', async () => {
    const spare = await acme.issue('jane@acme.test', { name: 'renamed' })
    const path = `${TOKENS}/${idOf(spare)}`
    const seen = (await asAda('GET', path)).headers.get('etag') ?? ''
    await callApi(acme.url, acme.janePat, 'PATCH', `/tokens/${idOf(spare)}`, { name: 'now another' })
    const refused = await asAda('DELETE', path, { 'If-Match': seen })
    expect([refused.status, refused.json['code']]).toEqual([412, 'precondition_failed'])
    expect((await asAda('GET', path)).json['status']).toBe('active')
    const now = (await asAda('GET', path)).headers.get('etag') ?? ''
    expect((await asAda('DELETE', path, { 'If-Match': now })).status).toBe(204)
  })
})

describe('whoever does not administer the organization', () => {
  it('is told so when the scope is missing', async () => {
    for (const [method, path] of [
      ['GET', TOKENS],
      ['GET', `${TOKENS}/${idOf(acme.samPat)}`],
      ['DELETE', `${TOKENS}/${idOf(acme.samPat)}`],
    ] as const) {
      const answer = await callApi(acme.url, acme.janePat, method, path)
      expect([path, answer.status, answer.json['code']]).toEqual([path, 403, 'forbidden'])
    }
  })

  it("finds neither another organization nor, in its own, that one's credentials", async () => {
    const foreign = idOf(acme.adminToken)
    for (const [method, path] of [
      ['GET', '/organizations/default/tokens'],
      ['GET', `/organizations/default/tokens/${foreign}`],
      ['DELETE', `/organizations/default/tokens/${foreign}`],
      ['GET', `${TOKENS}/${foreign}`],
      ['DELETE', `${TOKENS}/${foreign}`],
      ['GET', '/organizations/nowhere/tokens'],
      ['GET', `${TOKENS}/0000000000000000`],
      ['GET', `${TOKENS}/%00`],
    ] as const) {
      const answer = await asAda(method, path)
      expect([path, answer.status, answer.json['code']]).toEqual([path, 404, 'not_found'])
    }
    const untouched = await callApi(
      acme.url,
      acme.adminToken,
      'DELETE',
      `/organizations/acme/tokens/${foreign}`,
    )
    expect(untouched.status).toBe(404)
    expect((await requestExchange(acme.url, { subject_token: acme.samPat, audience: API })).status).toBe(200)
    expect((await callApi(acme.url, acme.adminToken, 'GET', '/tokens')).status).toBe(200)
  })
})

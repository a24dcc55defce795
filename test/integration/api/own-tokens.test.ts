import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { type SignedIn, serveSignedIn } from '../../support/signed-in.ts'
import { ISSUER } from '../../support/test-server.ts'
import { callForValue, eventsOf, idOf, pathOf, rowOf } from './credential-desk.ts'
import { DirectoryDesk, FORBIDDEN, INVALID, NOT_FOUND, problem, refusalOf, TAG } from './directory-desk.ts'

let acme: Acme
let jane: SignedIn
let janeId: string
beforeAll(async () => {
  const secretKey = newSecretKey()
  acme = await startAcme({ PATMINT_SECRET_KEY: secretKey })
  jane = await serveSignedIn(acme, acme.janePat, secretKey)
  janeId = await new DirectoryDesk(acme).findUserId('jane@acme.test')
})
afterAll(async () => {
  await jane.stop()
  await acme.stop()
})

const SIGN_IN = problem(403, 'forbidden', 'Sign in: a credential makes no credentials')

const accessTokenOf = async (subject_token: string, scope?: string): Promise<string> => {
  const { json } = await requestExchange(acme.url, { subject_token, audience: `${ISSUER}/api`, scope })
  return String(json['access_token'])
}

describe('POST /tokens', () => {
  it('is not for credentials, be it a PAT, an access token or an API key, with every right there is', async () => {
    const key = await new DirectoryDesk(acme).issueKey('acme', 'admin')
    const tokens = [acme.adaPat, acme.adminToken, await accessTokenOf(acme.adaPat), key]
    for (const token of tokens) {
      const answer = await callForValue(acme.url, token, '/tokens', { name: 'persistence' })
      expect([answer.status, answer.json]).toEqual([403, SIGN_IN])
    }
    const made = await acme.db
      .selectFrom('credentials')
      .select('id')
      .where('name', '=', 'persistence')
      .execute()
    expect(made).toEqual([])
  })

  it('makes a PAT for who signed in, which nobody else has issued', async () => {
    const answer = await callForValue(jane.url, undefined, '/tokens', {
      name: 'mine',
      expires_in_seconds: 60,
    })
    expect(answer.json).toMatchObject({ kind: 'personal', owner: janeId, organization: 'acme', name: 'mine' })
    const id = String(answer.json['id'])
    expect(await rowOf(acme, id)).toMatchObject({
      issued_by: null,
      issued_reach: null,
      issued_scopes: null,
    })
    expect(await eventsOf(acme, id)).toMatchObject([
      { type: 'credential.issued', subject: janeId, actor: janeId, organization: 'acme' },
    ])
    const { status } = await requestExchange(acme.url, { subject_token: String(answer.json['token']) })
    expect(status).toBe(200)
  })

  it('makes it in another organization of theirs, and in none where they are not a member', async () => {
    const desk = new DirectoryDesk(acme)
    await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
    const create = () =>
      callForValue(jane.url, undefined, '/tokens', { name: 'abroad', organization: 'beta' })
    expect(refusalOf(await create())).toEqual(NOT_FOUND)
    await desk.admin('POST', '/organizations/beta/members', { user_id: janeId, role: 'member' })
    expect((await create()).json).toMatchObject({ organization: 'beta', role: 'member' })
    await desk.admin('DELETE', `/organizations/beta/members/${janeId}`)
  })

  it('keeps to name, role and policy like any other creation', async () => {
    const create = (body: object) => callForValue(jane.url, undefined, '/tokens', { name: 'x', ...body })
    expect(refusalOf(await create({ name: 'laptop' }))).toEqual([409, 'token_name_taken'])
    expect(refusalOf(await create({ never_expires: true }))).toEqual([422, 'policy_violation'])
    const permissions = [{ audience: API, scopes: ['models:write'] }]
    expect(refusalOf(await create({ permissions }))).toEqual([422, 'permission_not_held'])
  })

  it.each(['owner', 'role', 'secret_hash', 'revoked_at', 'id', 'kind', 'issued_by'])(
    'takes no %s',
    async (member) => {
      const body = { name: 'x', [member]: 'x' }
      expect(refusalOf(await callForValue(jane.url, undefined, '/tokens', body))).toEqual(INVALID)
    },
  )
})

describe('PATCH /tokens/{id}', () => {
  const rename = (pat: string, name: unknown, token = acme.janePat, headers = {}) =>
    callApi(acme.url, token, 'PATCH', pathOf(pat), { name }, headers)

  it('renames, and keeps everything else', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'before' })
    const { json: before } = await callApi(acme.url, acme.janePat, 'GET', pathOf(pat))
    const answer = await rename(pat, 'after')
    expect(answer.json).toEqual({ ...before, name: 'after' })
    const { json, headers } = await callApi(acme.url, acme.janePat, 'GET', pathOf(pat))
    expect([json, headers.get('etag')]).toEqual([answer.json, answer.headers.get('etag')])
    expect(await eventsOf(acme, idOf(pat), 'credential.renamed')).toEqual([
      {
        type: 'credential.renamed',
        reason: null,
        subject: janeId,
        actor: janeId,
        organization: 'acme',
        ip: '127.0.0.1',
        detail: { before: { name: 'before' }, after: { name: 'after' } },
      },
    ])
  })

  it('changes and records nothing when the name is the same', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'same' })
    expect((await rename(pat, 'same')).status).toBe(200)
    expect(await eventsOf(acme, idOf(pat), 'credential.renamed')).toEqual([])
  })

  it('takes only the version one has seen, when one says which', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'version 1' })
    const tag = String((await callApi(acme.url, acme.janePat, 'GET', pathOf(pat))).headers.get('etag'))
    expect(tag).toMatch(TAG)
    const renamed = await rename(pat, 'version 2', acme.janePat, { 'If-Match': tag })
    expect(renamed.status).toBe(200)
    const stale = [412, 'precondition_failed']
    expect(refusalOf(await rename(pat, 'version 3', acme.janePat, { 'If-Match': tag }))).toEqual(stale)
    const remove = (version: string) =>
      callApi(acme.url, acme.janePat, 'DELETE', pathOf(pat), undefined, { 'If-Match': version })
    expect(refusalOf(await remove(tag))).toEqual(stale)
    expect((await remove(String(renamed.headers.get('etag')))).status).toBe(204)
  })

  it('gives no name the owner has in use, and any other they once had', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'unique' })
    const spent = await acme.issue('jane@acme.test', { name: 'spent' })
    expect(refusalOf(await rename(pat, 'laptop'))).toEqual([409, 'token_name_taken'])
    await callApi(acme.url, acme.janePat, 'DELETE', pathOf(spent))
    expect((await rename(pat, 'spent')).status).toBe(200)
    const sams = await acme.issue('sam@acme.test', { name: 'unique' })
    expect((await rename(sams, 'spent', acme.samPat)).status).toBe(200)
  })

  it('gives a name to one of twenty who want it at once', async () => {
    const olga = await new DirectoryDesk(acme).addMember('acme', 'olga@acme.test', 'member')
    await acme.db.updateTable('expiry_policies').set({ max_active_tokens: 30 }).execute()
    const pats = await Promise.all(
      Array.from({ length: 20 }, (_, n) => acme.issue('olga@acme.test', { name: `one of twenty ${n}` })),
    )
    const answers = await Promise.all(pats.map((pat) => rename(pat, 'the one', olga.pat)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ json }) => json['code'] === 'token_name_taken')).toHaveLength(19)
    const named = acme.db.selectFrom('credentials').select('id').where('name', '=', 'the one')
    expect(await named.execute()).toHaveLength(1)
  })

  it('is for credentials that have not ended', async () => {
    const NOT_ACTIVE = [409, 'not_active']
    const revoked = await acme.issue('jane@acme.test', { name: 'revoked' })
    await callApi(acme.url, acme.janePat, 'DELETE', pathOf(revoked))
    expect(refusalOf(await rename(revoked, 'alive'))).toEqual(NOT_ACTIVE)
    const expiring = await acme.issue('jane@acme.test', { name: 'expiring', expires_in_seconds: 60 })
    acme.setClock(() => new Date(Date.now() + 61_000))
    expect(refusalOf(await rename(expiring, 'alive'))).toEqual(NOT_ACTIVE)
    acme.setClock(() => new Date())
    expect((await rename(expiring, 'alive')).status).toBe(200)
  })

  it("answers 404 for another user's, and leaves it alone", async () => {
    for (const id of [idOf(acme.samPat), '0000000000000000', 'x', '%00']) {
      for (const [method, path] of [
        ['GET', `/tokens/${id}`],
        ['PATCH', `/tokens/${id}`],
        ['DELETE', `/tokens/${id}`],
        ['POST', `/tokens/${id}/rotate`],
      ] as const) {
        const body = { PATCH: { name: 'mine now' }, POST: {}, GET: undefined, DELETE: undefined }[method]
        for (const token of [acme.janePat, acme.adminToken])
          expect([method, ...refusalOf(await callApi(acme.url, token, method, path, body))]).toEqual([
            method,
            ...NOT_FOUND,
          ])
      }
    }
    expect(await rowOf(acme, idOf(acme.samPat))).toMatchObject({ name: 'laptop', revoked_at: null })
  })

  it('takes a name and nothing else', async () => {
    const bodies = [
      {},
      { name: '' },
      { name: 'x', owner: janeId },
      { name: 'x', role: 'admin' },
      { name: 'x', secret_hash: 'x' },
      { name: 'x', revoked_at: null },
      { name: 'x', expires_at: '2030-01-01T00:00:00Z' },
    ]
    for (const body of bodies) {
      const answer = await callApi(acme.url, acme.janePat, 'PATCH', pathOf(acme.janePat), body)
      expect([body, ...refusalOf(answer)]).toEqual([body, ...INVALID])
    }
    expect(await rowOf(acme, idOf(acme.janePat))).toMatchObject({
      name: 'laptop',
      expires_at: expect.any(Date),
    })
  })

  it('needs tokens:write', async () => {
    const readOnly = await accessTokenOf(acme.adaPat, 'tokens:read')
    expect(refusalOf(await rename(acme.adaPat, 'x', readOnly))).toEqual(FORBIDDEN)
  })
})

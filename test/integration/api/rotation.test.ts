import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange, requestRevocation } from '../../support/requests.ts'
import { newSecretKey } from '../../support/server-process.ts'
import { type SignedIn, serveSignedIn } from '../../support/signed-in.ts'
import { ISSUER } from '../../support/test-server.ts'
import {
  callForValue,
  eventsOf,
  forgeSecretOf,
  idOf,
  pathOf,
  rotateItself,
  rowOf,
} from './credential-desk.ts'
import { DirectoryDesk, INVALID, NOT_FOUND, problem, REFUSED, refusalOf } from './directory-desk.ts'

const HOUR = 3600
const JANE = 'jane@acme.test'

let acme: Acme
let desk: DirectoryDesk
let jane: SignedIn
let janeId: string
beforeAll(async () => {
  const secretKey = newSecretKey()
  acme = await startAcme({ PATMINT_SECRET_KEY: secretKey })
  jane = await serveSignedIn(acme, acme.janePat, secretKey)
  desk = new DirectoryDesk(acme)
  janeId = await desk.findUserId(JANE)
  await acme.db.updateTable('expiry_policies').set({ max_active_tokens: 100 }).execute()
})
afterAll(async () => {
  await jane.stop()
  await acme.stop()
})

const issue = (body: object = {}): Promise<string> =>
  acme.issue(JANE, { name: `rotated ${crypto.randomUUID()}`, ...body })
const rotate = (credential: string, body: object = {}, token = credential) =>
  callForValue(acme.url, token, `${pathOf(credential)}/rotate`, body)
const exchange = (subject_token: string, scope?: string) =>
  requestExchange(acme.url, { subject_token, audience: API, scope })
const show = async (credential: string): Promise<Record<string, unknown>> =>
  (await callApi(acme.url, acme.janePat, 'GET', pathOf(credential))).json
/** Runs `work` at the instant `seconds` from now. */
async function at<T>(seconds: number, work: () => Promise<T>): Promise<T> {
  acme.setClock(() => new Date(Date.now() + seconds * 1000))
  try {
    return await work()
  } finally {
    acme.setClock(() => new Date())
  }
}

describe('POST /tokens/{id}/rotate', () => {
  it('gives a successor that is all the old one was, with a value of its own', async () => {
    const pat = await issue({ allowed_cidrs: ['127.0.0.0/8'], expires_in_seconds: HOUR })
    const before = await show(pat)
    const answer = await rotate(pat)
    const { token, ...successor } = answer.json
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(token).not.toBe(pat)
    const lifetime = Date.parse(String(successor['expires_at'])) - Date.parse(String(successor['created_at']))
    expect(lifetime).toBe(HOUR * 1000)
    expect(successor).toEqual({
      ...before,
      id: idOf(String(token)),
      prefix: String(token).slice(0, 10),
      created_at: successor['created_at'],
      expires_at: successor['expires_at'],
      effective_expires_at: successor['expires_at'],
      last_used_at: null,
      last_used_ip: null,
    })
    expect((await exchange(String(token))).json['scope']).toBe('datasets:read models:read')
  })

  it('ends the old value at once when no overlap is asked for', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat)
    expect((await exchange(pat)).json).toEqual(REFUSED)
    expect(refusalOf(await callApi(acme.url, pat, 'GET', '/tokens'))).toEqual([401, 'unauthorized'])
    expect((await exchange(successor, 'models/m1:read')).json['scope']).toBe('models/m1:read')
    expect(await show(pat)).toMatchObject({ status: 'revoked', status_detail: 'rotated' })
  })

  it('lets the old value work until a second before the overlap ends, and not a second after', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat, { overlap_seconds: HOUR })
    expect(await show(pat)).toMatchObject({ status: 'active', status_detail: 'rotated' })
    const atEnd = await at(HOUR - 2, () => exchange(pat))
    expect(atEnd.status).toBe(200)
    expect(atEnd.json['expires_in']).toBeLessThanOrEqual(2)
    const after = await at(HOUR + 1, () => Promise.all([exchange(pat), exchange(successor)]))
    expect(after.map(({ status }) => status)).toEqual([400, 200])
    expect(await desk.lastReason()).toBe('credential_superseded')
  })

  it('is recorded of both, in the owner’s name', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat, { overlap_seconds: 60 })
    const whose = { subject: janeId, actor: janeId, organization: 'acme', ip: '127.0.0.1', reason: null }
    expect(await eventsOf(acme, idOf(pat), 'credential.rotated')).toEqual([
      { type: 'credential.rotated', ...whose, detail: { successor: idOf(successor), overlap_seconds: 60 } },
    ])
    expect(await eventsOf(acme, idOf(successor))).toEqual([
      { type: 'credential.issued', ...whose, detail: { predecessor: idOf(pat) } },
    ])
  })

  it('keeps who issued it, and how far that reaches', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat)
    const [old, next] = [await rowOf(acme, idOf(pat)), await rowOf(acme, idOf(successor))]
    expect(old.issued_by).not.toBeNull()
    expect(old.issued_scopes).not.toBeNull()
    expect([next.issued_by, next.issued_reach, next.issued_scopes]).toEqual([
      old.issued_by,
      old.issued_reach,
      old.issued_scopes,
    ])
    expect(next).toMatchObject({
      replaces: idOf(pat),
      owner_id: janeId,
      revoked_at: null,
      overlap_until: null,
    })
  })

  it('is possible at the limit, and takes no place there', async () => {
    const { pat } = await desk.addMember('acme', 'limit@acme.test', 'member')
    const limit = (max_active_tokens: number) =>
      acme.db.updateTable('expiry_policies').set({ max_active_tokens }).execute()
    await limit(1)
    const successor = await rotate(pat, { overlap_seconds: HOUR })
    const another = await desk.call(
      acme.adminToken,
      'POST',
      `/users/${await desk.findUserId('limit@acme.test')}/tokens`,
      { name: 'one more' },
    )
    await limit(100)
    expect(successor.status).toBe(201)
    expect(refusalOf(another)).toEqual([409, 'token_limit_reached'])
  })

  it('gives no place away: what works in its overlap keeps it when its successor has ended', async () => {
    const { id, pat } = await desk.addMember('acme', 'place@acme.test', 'member')
    const limit = (max_active_tokens: number) =>
      acme.db.updateTable('expiry_policies').set({ max_active_tokens }).execute()
    const create = () => callForValue(acme.url, acme.adminToken, `/users/${id}/tokens`, { name: 'one more' })
    await limit(1)
    const successor = await rotateItself(acme, pat, { overlap_seconds: HOUR })
    await callApi(acme.url, successor, 'DELETE', pathOf(successor))
    const inOverlap = await create()
    await callApi(acme.url, pat, 'DELETE', pathOf(pat))
    const afterwards = await create()
    await limit(100)
    expect(refusalOf(inOverlap)).toEqual([409, 'token_limit_reached'])
    expect(afterwards.status).toBe(201)
  })

  it('gives one of twenty who want it at once a successor, and the others 409', async () => {
    const pat = await issue()
    const answers = await Promise.all(Array.from({ length: 20 }, () => rotate(pat, { overlap_seconds: 60 })))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ json }) => json['code'] === 'already_rotated')).toHaveLength(19)
    const successors = acme.db.selectFrom('credentials').select('id').where('replaces', '=', idOf(pat))
    expect(await successors.execute()).toHaveLength(1)
  })

  it('does not go on before the overlap of the predecessor is over: two work at most', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first, { overlap_seconds: HOUR })
    expect(refusalOf(await rotate(first))).toEqual([409, 'already_rotated'])
    expect(refusalOf(await rotate(second))).toEqual([409, 'already_rotated'])
    expect(refusalOf(await at(HOUR - 2, () => rotate(second)))).toEqual([409, 'already_rotated'])
    expect((await at(HOUR + 1, () => rotate(second))).status).toBe(201)
  })

  it('goes on once the predecessor was revoked', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first, { overlap_seconds: HOUR })
    await callApi(acme.url, second, 'DELETE', pathOf(first))
    expect((await rotate(second)).status).toBe(201)
  })

  it.each<[string, Record<string, unknown>]>([
    ['a negative overlap', { overlap_seconds: -1 }],
    ['more than a week', { overlap_seconds: 604_801 }],
    ['half a second', { overlap_seconds: 0.5 }],
    ['text', { overlap_seconds: '60' }],
    ['two lifetimes', { expires_in_seconds: 60, never_expires: true }],
    ['an instant that has passed', { expires_at: '2020-01-01T00:00:00Z' }],
    ['another name', { name: 'x' }],
    ['another owner', { owner: 'x' }],
    ['a role', { role: 'admin' }],
    ['permissions', { permissions: null }],
    ['a hash', { secret_hash: 'x' }],
    ['a revocation', { revoked_at: null }],
  ])('refuses %s, and changes nothing', async (_, body) => {
    const pat = await issue()
    expect(refusalOf(await rotate(pat, body))).toEqual(INVALID)
    expect(await rowOf(acme, idOf(pat))).toMatchObject({ overlap_until: null })
  })

  it('takes an overlap of a week', async () => {
    expect((await rotate(await issue(), { overlap_seconds: 604_800 })).status).toBe(201)
  })
})

describe('who may rotate', () => {
  const SIGN_IN = problem(
    403,
    'forbidden',
    'Sign in: a credential rotates itself, by its value, and no other',
  )

  it('is not another credential of the same owner', async () => {
    const pat = await issue()
    const answer = await rotate(pat, {}, acme.janePat)
    expect([answer.status, answer.json]).toEqual([403, SIGN_IN])
    expect((await exchange(pat)).status).toBe(200)
  })

  it('is not an access token, which services get to see', async () => {
    const ada = await acme.issue('ada@acme.test', { name: 'for a token' })
    const { json } = await requestExchange(acme.url, { subject_token: ada, audience: `${ISSUER}/api` })
    const answer = await rotate(ada, {}, String(json['access_token']))
    expect([answer.status, answer.json]).toEqual([403, SIGN_IN])
  })

  it('is a credential narrowed to something else, whose successor is as narrow', async () => {
    const permissions = [{ audience: API, scopes: ['models:read'] }]
    const answer = await rotate(await issue({ permissions }))
    expect(answer.status).toBe(201)
    expect(answer.json['permissions']).toEqual(permissions)
    expect((await callApi(acme.url, String(answer.json['token']), 'GET', '/tokens')).status).toBe(403)
  })

  it('is the owner who signed in, of any of theirs that works', async () => {
    const pat = await issue()
    const rotateSignedIn = () => callForValue(jane.url, undefined, `${pathOf(pat)}/rotate`, {})
    const answer = await rotateSignedIn()
    expect((await exchange(String(answer.json['token']))).status).toBe(200)
    expect(refusalOf(await rotateSignedIn())).toEqual([409, 'already_rotated'])
    const foreign = await callForValue(jane.url, undefined, `${pathOf(acme.samPat)}/rotate`, {})
    expect(refusalOf(foreign)).toEqual(NOT_FOUND)
  })

  it('is nobody once it does not work any more', async () => {
    const NOT_ACTIVE = [409, 'not_active']
    const rotateSignedIn = (pat: string) => callForValue(jane.url, undefined, `${pathOf(pat)}/rotate`, {})
    const revoked = await issue()
    await callApi(acme.url, acme.janePat, 'DELETE', pathOf(revoked))
    expect(refusalOf(await rotateSignedIn(revoked))).toEqual(NOT_ACTIVE)
    const expired = await issue()
    const own = acme.db.updateTable('credentials').where('id', '=', idOf(expired))
    await own.set({ expires_at: new Date(Date.now() - 1000) }).execute()
    expect(refusalOf(await rotateSignedIn(expired))).toEqual(NOT_ACTIVE)
  })
})

describe('the lifetime of a successor', () => {
  const setMaximum = (seconds: number | null) =>
    acme.db
      .updateTable('expiry_policies')
      .set({ max_lifetime_seconds: seconds })
      .where('organization_id', 'is not', null)
      .execute()
  const VIOLATION = problem(422, 'policy_violation', 'max_lifetime of the organization policy', {
    rule: 'max_lifetime',
    level: 'organization',
    limit_seconds: 60,
  })
  const lifetimeOf = (json: Record<string, unknown>): number =>
    (Date.parse(String(json['expires_at'])) - Date.parse(String(json['created_at']))) / 1000

  it('is what was agreed before, or the longest policy allows; what is asked for is never clamped', async () => {
    const pat = await issue({ expires_in_seconds: 61 })
    await setMaximum(60)
    const answer = await rotate(pat, { expires_in_seconds: 61 })
    expect([answer.status, answer.json]).toEqual([422, VIOLATION])
    expect(await rowOf(acme, idOf(pat))).toMatchObject({ overlap_until: null })
    const again = await rotate(pat)
    await setMaximum(7_776_000)
    expect([again.status, lifetimeOf(again.json)]).toEqual([201, 60])
  })

  it('is for ever when it was, and no policy says otherwise', async () => {
    await setMaximum(null)
    await acme.db.updateTable('expiry_policies').set({ max_lifetime_seconds: null }).execute()
    const pat = await issue({ never_expires: true })
    const second = await rotateItself(acme, pat)
    expect(await show(second)).toMatchObject({ expires_at: null })
    await setMaximum(60)
    expect((await rotate(second, { never_expires: true })).json).toEqual(VIOLATION)
    const third = await rotate(second)
    await setMaximum(7_776_000)
    expect([third.status, lifetimeOf(third.json)]).toEqual([201, 60])
  })

  it('may be made shorter, and never longer than it was', async () => {
    const detail = 'A credential gives its successor no longer life than its own was'
    const pat = await issue({ expires_in_seconds: 60 })
    for (const wish of [{ expires_in_seconds: 61 }, { never_expires: true }]) {
      const answer = await rotate(pat, wish)
      expect([answer.status, answer.json]).toEqual([403, problem(403, 'forbidden', detail)])
    }
    const successor = await rotate(pat, { expires_in_seconds: 60 })
    expect([successor.status, lifetimeOf(successor.json)]).toEqual([201, 60])
    await setMaximum(null)
    const eternal = await issue({ never_expires: true })
    expect((await rotate(eternal, { expires_in_seconds: HOUR })).status).toBe(201)
    await setMaximum(7_776_000)
  })
})

describe('use of an old value after its overlap', () => {
  const flagged = { status: 'active', status_detail: 'predecessor_reused' }

  it('flags the successor, once, however often and wherever it comes', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat, { overlap_seconds: HOUR })
    await at(HOUR - 2, () => exchange(pat))
    expect(await show(successor)).toMatchObject({ status_detail: null })
    await at(HOUR + 1, () => Promise.all(Array.from({ length: 10 }, () => exchange(pat))))
    await at(HOUR + 1, () => callApi(acme.url, pat, 'GET', '/tokens'))
    expect(await show(successor)).toMatchObject(flagged)
    expect(await eventsOf(acme, idOf(successor), 'credential.reuse_detected')).toEqual([
      {
        type: 'credential.reuse_detected',
        reason: 'predecessor_reused',
        subject: janeId,
        actor: null,
        organization: 'acme',
        ip: '127.0.0.1',
        detail: { predecessor: idOf(pat) },
      },
    ])
    expect((await exchange(successor)).status).toBe(200)
  })

  it('flags the successor also when a thief has burnt the old value to silence it', async () => {
    for (const burn of ['oauth2/revoke', 'leaks']) {
      const pat = await issue()
      const successor = await rotateItself(acme, pat)
      if (burn === 'leaks') await callApi(acme.url, undefined, 'POST', '/leaks', { credentials: [pat] })
      else await requestRevocation(acme.url, { token: pat })
      expect(await show(successor)).toMatchObject({ status: 'active', status_detail: null })
      expect((await exchange(pat)).status).toBe(400)
      expect(await show(successor)).toMatchObject(flagged)
    }
  })

  it('is found by the id of the request that betrayed it, with what sent it', async () => {
    const ways = {
      token: (pat: string) =>
        requestExchange(acme.url, { subject_token: pat, audience: API }, { 'User-Agent': 'thief/1.0' }),
      api: (pat: string) =>
        callApi(acme.url, pat, 'GET', '/tokens', undefined, { 'User-Agent': 'thief/1.0' }),
    }
    for (const [way, present] of Object.entries(ways)) {
      const pat = await issue()
      const successor = await rotateItself(acme, pat)
      const requestId = (await present(pat)).headers.get('x-request-id')
      const { json } = await callApi(
        acme.url,
        acme.adminToken,
        'GET',
        `/audit-events?request_id=${requestId}`,
      )
      const found = json['items'] as Record<string, unknown>[]
      const theft = found.find(({ type }) => type === 'credential.reuse_detected')
      expect([way, found.length, theft]).toEqual([
        way,
        2,
        expect.objectContaining({ credential: idOf(successor), user_agent: 'thief/1.0' }),
      ])
    }
  })

  it('is found out at the management API as well', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat)
    expect((await callApi(acme.url, pat, 'GET', '/tokens')).status).toBe(401)
    expect(await show(successor)).toMatchObject(flagged)
  })

  it('writes nothing more once it is known', async () => {
    const pat = await issue()
    await rotateItself(acme, pat)
    const countWrites = async (): Promise<number> => {
      acme.takeQueries()
      await exchange(pat)
      const writes = acme.takeQueries().filter((sql) => /update "credentials"|for no key update$/.test(sql))
      return writes.length
    }
    expect(await countWrites()).toBe(2)
    expect(await countWrites()).toBe(0)
  })

  it('is nothing a wrong secret, or the successor itself, can feign', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat)
    await exchange(forgeSecretOf(pat))
    const { json } = await exchange(successor)
    expect(json['scope']).toBe('datasets:read models:read')
    expect(await show(successor)).toMatchObject({ status: 'active', status_detail: null })
  })

  it('flags the living end of a long family alone', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first)
    const third = await rotateItself(acme, second, { overlap_seconds: HOUR })
    await exchange(first)
    expect(await show(third)).toMatchObject(flagged)
    expect(await show(second)).toMatchObject({ status: 'active', status_detail: 'rotated' })
  })

  it('flags the one in its overlap when its successor was revoked', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first)
    const third = await rotateItself(acme, second, { overlap_seconds: HOUR })
    await callApi(acme.url, third, 'DELETE', pathOf(third))
    await exchange(first)
    expect(await show(second)).toMatchObject(flagged)
    expect((await rowOf(acme, idOf(third))).reuse_detected_at).toBeNull()
  })

  it('does nothing where all of the family has ended', async () => {
    const pat = await issue()
    const successor = await rotateItself(acme, pat)
    await callApi(acme.url, successor, 'DELETE', pathOf(successor))
    await exchange(pat)
    expect(await eventsOf(acme, idOf(successor), 'credential.reuse_detected')).toEqual([])
  })

  it('stays visible on what the suspect becomes, unless its owner signs in to rotate it', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first)
    await exchange(first)
    const third = await rotateItself(acme, second)
    expect(await show(third)).toMatchObject(flagged)
    const { json } = await callForValue(jane.url, undefined, `${pathOf(third)}/rotate`, {})
    expect(json).toMatchObject({ status: 'active', status_detail: null })
  })

  it('of an API key flags its successor', async () => {
    const key = await desk.issueKey('acme', 'analyst')
    const successor = await rotateItself(acme, key)
    await exchange(key)
    const { json } = await callApi(acme.url, successor, 'GET', pathOf(successor))
    expect(json).toMatchObject(flagged)
    expect(await eventsOf(acme, idOf(successor), 'credential.reuse_detected')).toMatchObject([
      { subject: `key:${idOf(successor)}`, organization: 'acme', detail: { predecessor: idOf(key) } },
    ])
  })
})

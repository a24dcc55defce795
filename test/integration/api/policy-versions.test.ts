import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { DirectoryDesk, FORBIDDEN, INSTANT, INVALID, NOT_FOUND, refusalOf, TAG } from './directory-desk.ts'

const DAY = 86_400
const OF_ACME = '/organizations/acme/policy'
const VERSIONS = `${OF_ACME}/versions`
const policyOf = (max_lifetime_seconds: number | null, applies_to = 'all') => ({
  max_lifetime_seconds,
  default_lifetime_seconds: null,
  idle_timeout_seconds: null,
  access_token_max_ttl_seconds: null,
  max_active_tokens: 10,
  applies_to,
  exempt_roles: [],
})

let acme: Acme
let desk: DirectoryDesk
let adaId: string
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  adaId = await desk.findUserId('ada@acme.test')
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
})
afterAll(() => acme.stop())

const put = async (policy: object) => {
  const answer = await desk.call(acme.adaPat, 'PUT', OF_ACME, policy)
  expect(answer.status).toBe(200)
  return answer
}
const restore = (number: unknown, body: object = {}, ifMatch?: string) =>
  desk.call(acme.adaPat, 'POST', `${VERSIONS}/${number}/restore`, body, ifMatch)

describe('the history of a policy', () => {
  it('begins with what the declarative file said, and has every change, the newest first', async () => {
    await put(policyOf(80 * DAY))
    await put(policyOf(70 * DAY, 'new'))
    const all = await desk.listAll(acme.adaPat, VERSIONS, 200)
    const version = (number: number, policy: object, madeBy: string | null) => ({
      number,
      policy,
      made_at: INSTANT,
      made_by: madeBy,
      stopped: 0,
      stopped_in_use: 0,
    })
    expect(all).toEqual([
      version(3, { ...policyOf(70 * DAY, 'new'), applies_since: INSTANT }, adaId),
      version(2, { ...policyOf(80 * DAY), applies_since: null }, adaId),
      version(
        1,
        {
          ...policyOf(90 * DAY),
          idle_timeout_seconds: 60 * DAY,
          access_token_max_ttl_seconds: 600,
          max_active_tokens: null,
          applies_since: null,
        },
        null,
      ),
    ])
    expect(await desk.listAll(acme.adaPat, VERSIONS, 1)).toEqual(all)
  })

  it('is only added to', async () => {
    await expect(
      sql`update expiry_policy_versions set made_by = 'nobody' where number = 1`.execute(acme.db),
    ).rejects.toThrow('history is only added to')
  })

  it('is read by whoever may read the policy', async () => {
    expect(await desk.listAll(acme.adminToken, '/organizations/beta/policy/versions', 10)).toEqual([])
    expect(refusalOf(await desk.call(acme.adaPat, 'GET', '/organizations/beta/policy/versions'))).toEqual(
      NOT_FOUND,
    )
    expect(refusalOf(await desk.call(acme.adaPat, 'GET', '/policy/versions'))).toEqual(FORBIDDEN)
    expect(refusalOf(await desk.call(acme.samPat, 'GET', VERSIONS))).toEqual(FORBIDDEN)
  })
})

describe('a restored version', () => {
  it('is a new one that says the same, since when included', async () => {
    const first = await put(policyOf(50 * DAY, 'new'))
    const { version, applies_since } = first.json
    const loosened = await put(policyOf(null))
    const answer = await restore(version, {}, loosened.headers.get('etag') ?? '')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('etag')).toMatch(TAG)
    expect(answer.json).toMatchObject({
      ...policyOf(50 * DAY, 'new'),
      version: Number(version) + 2,
      applies_since,
    })
    expect((await desk.call(acme.adaPat, 'GET', OF_ACME)).json).toEqual(answer.json)
    const last = (await desk.eventsOf('policy:organization')).at(-1)
    expect(last?.detail?.['restored']).toBe(version)
    const { json } = await desk.call(acme.adaPat, 'GET', '/audit-events?type=policy.changed&limit=1')
    expect(json['items']).toMatchObject([{ credential: acme.adaPat.slice(4, 20) }])
    expect([last?.type, last?.detail?.['before'], last?.detail?.['after']]).toEqual([
      'policy.changed',
      { ...policyOf(null), applies_since: null },
      { ...policyOf(50 * DAY, 'new'), applies_since },
    ])
  })

  it('needs the same confirmation, and the same version, as every change', async () => {
    const pat = await acme.issue('jane@acme.test', { name: 'of old' })
    const tight = await put(policyOf(40 * DAY))
    const loose = await put(policyOf(null))
    await sql`update credentials set created_at = now() - interval '41 days', last_used_at = now()
      where id = ${pat.slice(4, 20)}`.execute(acme.db)
    const refused = await restore(tight.json['version'])
    expect([...refusalOf(refused), refused.json['count']]).toEqual([409, 'confirmation_required', 1])
    const stale = await restore(tight.json['version'], { confirm: 1 }, tight.headers.get('etag') ?? '')
    expect(refusalOf(stale)).toEqual([412, 'precondition_failed'])
    const done = await restore(tight.json['version'], { confirm: 1 }, loose.headers.get('etag') ?? '')
    expect(done.status).toBe(200)
    expect(await desk.scopeOf(pat)).toBeNull()
    const [newest] = await desk.listAll(acme.adaPat, VERSIONS, 200)
    expect(newest).toMatchObject({ stopped: 1, stopped_in_use: 1, made_by: adaId })
    await put(policyOf(null))
    expect(await desk.scopeOf(pat)).not.toBeNull()
  })

  it('is previewed as it would be restored, since when included', async () => {
    const tight = await put(policyOf(40 * DAY, 'new'))
    const pat = await acme.issue('jane@acme.test', { name: 'of the meantime' })
    await sql`update credentials set created_at = ${tight.json['applies_since']}, last_used_at = now()
      where id = ${pat.slice(4, 20)}`.execute(acme.db)
    acme.setClock(() => new Date(Date.now() + 11 * DAY * 1000))
    await put(policyOf(null))
    const path = `${VERSIONS}/${tight.json['version']}/preview`
    const { status, json } = await desk.call(acme.adaPat, 'POST', `${path}?limit=1`)
    expect([status, json]).toEqual([
      200,
      {
        stops_now: 0,
        stops_within_7_days: 0,
        stops_within_30_days: 1,
        in_use: 0,
        stops_caller: false,
        items: [expect.objectContaining({ id: pat.slice(4, 20) })],
      },
    ])
    // What a PUT of the same words would bind is only what is made from now on.
    const edited = await desk.call(acme.adaPat, 'POST', `${OF_ACME}/preview`, policyOf(40 * DAY, 'new'))
    expect(edited.json['stops_within_30_days']).toBe(0)
    expect(refusalOf(await desk.call(acme.adaPat, 'POST', `${VERSIONS}/1000/preview`))).toEqual(NOT_FOUND)
    expect(refusalOf(await desk.call(acme.samPat, 'POST', path))).toEqual(FORBIDDEN)
    acme.setClock(() => new Date())
  })

  it('is one there is, of the same place', async () => {
    expect(refusalOf(await restore(1000))).toEqual(NOT_FOUND)
    for (const number of ['0', '-1', '1.5', 'x', '99999999999'])
      expect(refusalOf(await restore(number))).toEqual(NOT_FOUND)
    const path = '/organizations/beta/policy/versions/1/restore'
    expect(refusalOf(await desk.call(acme.adminToken, 'POST', path, {}))).toEqual(NOT_FOUND)
    expect(refusalOf(await desk.call(acme.adaPat, 'POST', path, {}))).toEqual(NOT_FOUND)
    expect(refusalOf(await desk.call(acme.adaPat, 'POST', '/policy/versions/1/restore', {}))).toEqual(
      FORBIDDEN,
    )
    expect(refusalOf(await restore(1, { confirm: -1 }))).toEqual(INVALID)
  })
})

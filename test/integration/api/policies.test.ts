import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Acme, startAcme } from '../../support/acme.ts'
import { DirectoryDesk, FORBIDDEN, INSTANT, INVALID, NOT_FOUND, refusalOf, TAG } from './directory-desk.ts'

const PLATFORM = '/policy'
const OF_ACME = '/organizations/acme/policy'
const DAY = 86_400

const NO_RULES = {
  max_lifetime_seconds: null,
  default_lifetime_seconds: null,
  idle_timeout_seconds: null,
  access_token_max_ttl_seconds: null,
  max_active_tokens: 10,
  applies_to: 'all',
  exempt_roles: [] as string[],
}
const NOBODYS = { value: null, level: null }

let acme: Acme
let desk: DirectoryDesk
let adminId: string
beforeAll(async () => {
  acme = await startAcme()
  desk = new DirectoryDesk(acme)
  adminId = await desk.findUserId('admin@localhost')
  await desk.admin('POST', '/organizations', { slug: 'beta', name: 'Beta' })
})
afterAll(() => acme.stop())

const get = (token: string, path: string) => desk.call(token, 'GET', path)
const put = (token: string, path: string, policy: object, ifMatch?: string) =>
  desk.call(token, 'PUT', path, policy, ifMatch)

beforeEach(async () => {
  await desk.admin('PUT', PLATFORM, NO_RULES)
  await desk.admin('PUT', OF_ACME, NO_RULES)
})

describe('GET policy', () => {
  it('shows no rules where nobody made any', async () => {
    const { json, headers } = await get(acme.adminToken, '/organizations/beta/policy')
    expect(json).toEqual({
      level: 'organization',
      organization: 'beta',
      version: 0,
      ...NO_RULES,
      max_active_tokens: null,
      applies_since: null,
      effective: {
        max_lifetime_seconds: NOBODYS,
        default_lifetime_seconds: NOBODYS,
        idle_timeout_seconds: NOBODYS,
        access_token_max_ttl_seconds: NOBODYS,
        max_active_tokens: { value: 10, level: 'platform' },
      },
    })
    expect(headers.get('etag')).toMatch(TAG)
  })

  it('shows of each field the strictest and whose it is', async () => {
    await desk.admin('PUT', PLATFORM, {
      ...NO_RULES,
      max_lifetime_seconds: 365 * DAY,
      idle_timeout_seconds: 30 * DAY,
      max_active_tokens: 20,
    })
    await desk.admin('PUT', OF_ACME, {
      ...NO_RULES,
      max_lifetime_seconds: 90 * DAY,
      idle_timeout_seconds: 30 * DAY,
      access_token_max_ttl_seconds: 600,
      max_active_tokens: 5,
    })
    expect((await get(acme.adaPat, OF_ACME)).json['effective']).toEqual({
      max_lifetime_seconds: { value: 90 * DAY, level: 'organization' },
      default_lifetime_seconds: { value: 90 * DAY, level: 'organization' },
      idle_timeout_seconds: { value: 30 * DAY, level: 'platform' },
      access_token_max_ttl_seconds: { value: 600, level: 'organization' },
      max_active_tokens: { value: 5, level: 'organization' },
    })
    expect((await get(acme.adminToken, PLATFORM)).json['effective']).toEqual({
      max_lifetime_seconds: { value: 365 * DAY, level: 'platform' },
      default_lifetime_seconds: { value: 365 * DAY, level: 'platform' },
      idle_timeout_seconds: { value: 30 * DAY, level: 'platform' },
      access_token_max_ttl_seconds: NOBODYS,
      max_active_tokens: { value: 20, level: 'platform' },
    })
  })

  it('shows how long a credential lives that is made without a wish', async () => {
    const effective = async () => (await get(acme.adaPat, OF_ACME)).json['effective']
    await desk.admin('PUT', PLATFORM, { ...NO_RULES, max_lifetime_seconds: 30 * DAY })
    await desk.admin('PUT', OF_ACME, { ...NO_RULES, default_lifetime_seconds: 60 * DAY })
    expect(await effective()).toMatchObject({
      default_lifetime_seconds: { value: 30 * DAY, level: 'platform' },
    })
    await desk.admin('PUT', OF_ACME, { ...NO_RULES, default_lifetime_seconds: 20 * DAY })
    expect(await effective()).toMatchObject({
      default_lifetime_seconds: { value: 20 * DAY, level: 'organization' },
    })
  })

  it('of an organization that says no number follows the platform, also when it is sent back', async () => {
    await desk.admin('POST', '/organizations', { slug: 'gamma', name: 'Gamma' })
    const path = '/organizations/gamma/policy'
    await desk.admin('PUT', PLATFORM, { ...NO_RULES, max_active_tokens: 7 })
    const { json } = await get(acme.adminToken, path)
    const { max_active_tokens } = json
    await desk.admin('PUT', path, { ...NO_RULES, idle_timeout_seconds: DAY, max_active_tokens })
    await desk.admin('PUT', PLATFORM, { ...NO_RULES, max_active_tokens: 12 })
    expect((await get(acme.adminToken, path)).json).toMatchObject({
      max_active_tokens: null,
      effective: { max_active_tokens: { value: 12, level: 'platform' } },
    })
    const platform = await put(acme.adminToken, PLATFORM, { ...NO_RULES, max_active_tokens: null })
    expect(refusalOf(platform)).toEqual(INVALID)
  })

  it('shows the platform to whoever reaches all of it, and an organization to its admins', async () => {
    expect(refusalOf(await get(acme.adaPat, PLATFORM))).toEqual(FORBIDDEN)
    expect(refusalOf(await get(acme.adaPat, '/organizations/beta/policy'))).toEqual(NOT_FOUND)
    expect(refusalOf(await get(acme.adminToken, '/organizations/nowhere/policy'))).toEqual(NOT_FOUND)
    expect(refusalOf(await get(acme.samPat, OF_ACME))).toEqual(FORBIDDEN)
  })
})

describe('PUT policy', () => {
  const TIGHT = {
    max_lifetime_seconds: 90 * DAY,
    default_lifetime_seconds: 30 * DAY,
    idle_timeout_seconds: 60 * DAY,
    access_token_max_ttl_seconds: 600,
    max_active_tokens: 3,
    applies_to: 'new',
    exempt_roles: ['robot'],
  }

  it('replaces all of it, with its version and its record', async () => {
    const before = await get(acme.adaPat, OF_ACME)
    const answer = await put(acme.adaPat, OF_ACME, TIGHT, before.headers.get('etag') ?? '')
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({
      ...TIGHT,
      level: 'organization',
      organization: 'acme',
      version: Number(before.json['version']) + 1,
      applies_since: INSTANT,
    })
    const read = await get(acme.adaPat, OF_ACME)
    expect([read.json, read.headers.get('etag')]).toEqual([answer.json, answer.headers.get('etag')])
    expect((await desk.eventsOf('policy:organization')).at(-1)).toEqual({
      type: 'policy.changed',
      actor: await desk.findUserId('ada@acme.test'),
      subject: null,
      organization: 'acme',
      detail: {
        version: answer.json['version'],
        before: { ...NO_RULES, applies_since: null },
        after: { ...TIGHT, applies_since: answer.json['applies_since'] },
        stopped: 0,
        stopped_in_use: 0,
      },
    })
  })

  it('records what the platform says as of no organization', async () => {
    const answer = await desk.admin('PUT', PLATFORM, { ...NO_RULES, max_active_tokens: 7 })
    expect((await desk.eventsOf('policy:platform')).at(-1)).toEqual({
      type: 'policy.changed',
      actor: adminId,
      subject: null,
      organization: null,
      detail: {
        version: answer.json['version'],
        before: { ...NO_RULES, applies_since: null },
        after: { ...NO_RULES, max_active_tokens: 7, applies_since: null },
        stopped: 0,
        stopped_in_use: 0,
      },
    })
  })

  it('that changes nothing makes no version and no record', async () => {
    const before = await get(acme.adaPat, OF_ACME)
    const events = (await desk.eventsOf('policy:organization')).length
    const answer = await put(acme.adaPat, OF_ACME, NO_RULES)
    expect([answer.status, answer.json]).toEqual([200, before.json])
    expect(await desk.eventsOf('policy:organization')).toHaveLength(events)
  })

  it('is refused over a change by somebody else', async () => {
    const seen = (await get(acme.adaPat, OF_ACME)).headers.get('etag') ?? ''
    await desk.admin('PUT', OF_ACME, { ...NO_RULES, max_active_tokens: 9 })
    expect(refusalOf(await put(acme.adaPat, OF_ACME, TIGHT, seen))).toEqual([412, 'precondition_failed'])
    // Not even when it has become again what it was.
    await desk.admin('PUT', OF_ACME, NO_RULES)
    expect(refusalOf(await put(acme.adaPat, OF_ACME, TIGHT, seen))).toEqual([412, 'precondition_failed'])
  })

  it.each(['', ' ', '""', 'x', '*, *'])('is refused over no version that there is: %j', async (ifMatch) => {
    const answer = await put(acme.adaPat, OF_ACME, { ...NO_RULES, max_active_tokens: 9 }, ifMatch)
    expect(refusalOf(answer)).toEqual([412, 'precondition_failed'])
  })

  it('of one version succeeds once, however many send it together', async () => {
    const seen = (await get(acme.adaPat, OF_ACME)).headers.get('etag') ?? ''
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        put(acme.adaPat, OF_ACME, { ...NO_RULES, max_active_tokens: 20 + n }, seen),
      ),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(412)])
  })

  it.each(Object.keys(TIGHT))('takes no absence of %s for "no rule"', async (field) => {
    const { [field as keyof typeof TIGHT]: _, ...rest } = TIGHT
    const answer = await put(acme.adaPat, OF_ACME, rest)
    expect([...refusalOf(answer), answer.json['problems']]).toEqual([
      ...INVALID,
      [{ path: field, message: expect.any(String) }],
    ])
  })

  it.each([
    ['max_lifetime_seconds', 0],
    ['max_lifetime_seconds', 3_153_600_001],
    ['max_lifetime_seconds', 1.5],
    ['max_lifetime_seconds', '90d'],
    ['default_lifetime_seconds', 90 * DAY + 1],
    ['idle_timeout_seconds', 599],
    ['access_token_max_ttl_seconds', 3601],
    ['max_active_tokens', 0],
    ['applies_to', 'some'],
    ['exempt_roles', ['robot', 'robot']],
    ['exempt_roles', ['Not a role']],
    ['max_lifetime', 5],
  ])('refuses %s %j', async (field, value) => {
    expect(refusalOf(await put(acme.adaPat, OF_ACME, { ...TIGHT, [field]: value }))).toEqual(INVALID)
  })

  it.each([
    ['max_lifetime_seconds', 3_153_600_000],
    ['default_lifetime_seconds', 90 * DAY],
    ['idle_timeout_seconds', 600],
    ['access_token_max_ttl_seconds', 3600],
  ])('takes %s %j', async (field, value) => {
    expect((await put(acme.adaPat, OF_ACME, { ...TIGHT, [field]: value })).json[field]).toBe(value)
  })

  it('takes the platform from nobody who does not reach it, and no other organization', async () => {
    expect(refusalOf(await put(acme.adaPat, PLATFORM, NO_RULES))).toEqual(FORBIDDEN)
    expect(refusalOf(await put(acme.adaPat, '/organizations/beta/policy', TIGHT))).toEqual(NOT_FOUND)
    expect(refusalOf(await put(acme.samPat, OF_ACME, TIGHT))).toEqual(FORBIDDEN)
  })

  it('of an organization loosens nothing that the platform says', async () => {
    await desk.admin('PUT', PLATFORM, { ...NO_RULES, max_lifetime_seconds: 2 * DAY, max_active_tokens: 4 })
    await put(acme.adaPat, OF_ACME, {
      ...NO_RULES,
      max_lifetime_seconds: 365 * DAY,
      max_active_tokens: 100,
      applies_to: 'new',
      exempt_roles: ['analyst', 'engineer', 'admin'],
    })
    acme.setClock(() => new Date(Date.now() + (2 * DAY + 1) * 1000))
    expect(await desk.scopeOf(acme.janePat)).toBeNull()
    expect(await desk.lastReason()).toBe('blocked_by_policy')
    acme.setClock(() => new Date())
    expect((await get(acme.adminToken, OF_ACME)).json['effective']).toMatchObject({
      max_lifetime_seconds: { value: 2 * DAY, level: 'platform' },
      max_active_tokens: { value: 4, level: 'platform' },
    })
  })

  it('keeps those bound whom "new" has bound, whatever else changes', async () => {
    const first = await put(acme.adaPat, OF_ACME, { ...NO_RULES, applies_to: 'new' })
    const second = await put(acme.adaPat, OF_ACME, TIGHT)
    expect(second.json['applies_since']).toBe(first.json['applies_since'])
  })
})

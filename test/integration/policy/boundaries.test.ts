// Every limit over HTTP, one second before it and one second after, on the clock of the server.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, issuePat, requestExchange } from '../../support/requests.ts'

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const MADE = new Date('2027-03-01T12:00:00.000Z')
const DAY = 86_400
const at = (seconds: number): Date => new Date(MADE.getTime() + seconds * 1000)
const setClock = (seconds: number): void => acme.setClock(() => at(seconds))

interface Rules {
  readonly max_lifetime_seconds?: number
  readonly default_lifetime_seconds?: number
  readonly idle_timeout_seconds?: number
  readonly access_token_max_ttl_seconds?: number
  readonly max_active_tokens?: number
  readonly applies_to?: 'new'
  readonly applies_since?: Date
}

/** The admin's own PAT, older than any of these limits, breaks the glass. */
const NO_RULES = {
  max_lifetime_seconds: null,
  default_lifetime_seconds: null,
  idle_timeout_seconds: null,
  access_token_max_ttl_seconds: null,
  max_active_tokens: 100,
  applies_to: 'all' as const,
  applies_since: MADE,
  exempt_roles: ['platform-admin'],
}

/** What the platform's and the organization's policy say from now on. */
async function setPolicies(platform: Rules, organization: Rules = {}): Promise<void> {
  const policies = acme.db.updateTable('expiry_policies')
  await policies
    .set({ ...NO_RULES, ...platform })
    .where('organization_id', 'is', null)
    .execute()
  await policies
    .set({ ...NO_RULES, ...organization })
    .where('organization_id', 'is not', null)
    .execute()
}
beforeEach(() => setPolicies({}))

let count = 0
/** A PAT of Jane's, made `seconds` after `MADE`. */
async function makePat(
  body: Record<string, unknown> = { never_expires: true },
  seconds = 0,
): Promise<string> {
  setClock(seconds)
  count += 1
  return acme.issue('jane@acme.test', { name: `boundary ${count}`, ...body })
}

/** How long the token lives that an exchange gives so many seconds after `MADE`; or the refusal. */
async function exchangeAt(seconds: number, pat: string): Promise<unknown> {
  setClock(seconds)
  const { json } = await requestExchange(acme.url, { subject_token: pat, audience: API })
  return json['expires_in'] ?? json['error_description']
}
const REFUSED = 'subject_token is not valid'

/** Status and rule that admins see then. */
async function statusAt(seconds: number, pat: string): Promise<unknown[]> {
  setClock(seconds)
  const path = `/organizations/acme/tokens/${pat.slice(4, 20)}`
  const { json } = await callApi(acme.url, acme.adminToken, 'GET', path)
  return [json['status'], json['status_detail']]
}

describe('a credential', () => {
  it('works until a second before expires_at', async () => {
    const pat = await makePat({ expires_in_seconds: 3600 })
    expect(await exchangeAt(3599, pat)).toBe(1)
    expect(await exchangeAt(3601, pat)).toBe(REFUSED)
    expect(await statusAt(3601, pat)).toEqual(['expired', null])
  })

  it.each([
    ['platform', [{ max_lifetime_seconds: DAY }, { max_lifetime_seconds: 2 * DAY }]],
    ['organization', [{ max_lifetime_seconds: 2 * DAY }, { max_lifetime_seconds: DAY }]],
  ] as const)('works until a second before max_lifetime of the %s is over', async (_, [platform, own]) => {
    const pat = await makePat()
    await setPolicies(platform, own)
    expect(await exchangeAt(DAY - 1, pat)).toBe(1)
    expect(await exchangeAt(DAY + 1, pat)).toBe(REFUSED)
    expect(await statusAt(DAY - 1, pat)).toEqual(['active', null])
    expect(await statusAt(DAY + 1, pat)).toEqual(['blocked_by_policy', 'max_lifetime'])
  })

  it('works until a second before idle_timeout after its creation, and then after its last use', async () => {
    const [pat, unused] = [await makePat(), await makePat()]
    await setPolicies({ idle_timeout_seconds: 3600 })
    expect(await exchangeAt(3599, pat)).toBe(1)
    expect(await exchangeAt(3601, unused)).toBe(REFUSED)
    expect(await exchangeAt(3599 + 3599, pat)).toBe(1)
    expect(await exchangeAt(3599 + 3599 + 3601, pat)).toBe(REFUSED)
    expect(await statusAt(3599 + 3599 + 3601, pat)).toEqual(['blocked_by_policy', 'idle_timeout'])
  })

  it('is spared by a policy for new ones that it was made a second before', async () => {
    const [before, after] = [await makePat(undefined, -1), await makePat(undefined, 1)]
    await setPolicies({ max_lifetime_seconds: 3600, applies_to: 'new', applies_since: MADE })
    expect(await exchangeAt(3602, before)).toBe(300)
    expect(await exchangeAt(3600, after)).toBe(1)
    expect(await exchangeAt(3602, after)).toBe(REFUSED)
  })

  it('with a successor works until a second before overlap_until', async () => {
    const pat = await makePat()
    const path = `/tokens/${pat.slice(4, 20)}/rotate`
    expect((await callApi(acme.url, pat, 'POST', path, { overlap_seconds: 60 })).status).toBe(201)
    expect(await exchangeAt(59, pat)).toBe(1)
    expect(await exchangeAt(61, pat)).toBe(REFUSED)
  })
})

describe('a token', () => {
  it.each([
    [299, 299],
    [301, 300],
  ])('for 300 seconds lives under an access_token_max_ttl of %d for %d', async (cap, lives) => {
    const pat = await makePat()
    await setPolicies({ access_token_max_ttl_seconds: 3600 }, { access_token_max_ttl_seconds: cap })
    expect(await exchangeAt(0, pat)).toBe(lives)
  })
})

describe('a creation', () => {
  const create = async (body: Record<string, unknown>) => {
    count += 1
    const users = await callApi(acme.url, acme.adminToken, 'GET', '/users?email=jane@acme.test')
    const [jane] = users.json['items'] as { id: string }[]
    return callApi(acme.url, acme.adminToken, 'POST', `/users/${jane?.id}/tokens`, {
      name: `boundary ${count}`,
      ...body,
    })
  }
  const expiresAt = async (body: Record<string, unknown>) => (await create(body)).json['expires_at']

  it('may ask for max_lifetime, and not for a second more', async () => {
    setClock(0)
    await setPolicies({ max_lifetime_seconds: 2 * DAY }, { max_lifetime_seconds: DAY })
    expect(await expiresAt({ expires_in_seconds: DAY - 1 })).toBe(at(DAY - 1).toISOString())
    expect(await expiresAt({ expires_in_seconds: DAY })).toBe(at(DAY).toISOString())
    for (const wish of [{ expires_in_seconds: DAY + 1 }, { never_expires: true }]) {
      const { status, json } = await create(wish)
      expect([status, json['code'], json['rule'], json['level'], json['limit_seconds']]).toEqual([
        422,
        'policy_violation',
        'max_lifetime',
        'organization',
        DAY,
      ])
    }
  })

  it.each([
    [DAY - 1, DAY - 1],
    [DAY + 1, DAY],
  ])(
    'without a wish gets a default_lifetime of %d under a max_lifetime of a day for %d',
    async (given, lives) => {
      setClock(0)
      await setPolicies({ max_lifetime_seconds: DAY }, { default_lifetime_seconds: given })
      expect(await expiresAt({})).toBe(at(lives).toISOString())
    },
  )

  it.each([
    ['platform', [1, 100]],
    ['organization', [100, 1]],
  ] as const)(
    'stops at max_active_tokens of the %s, which is the strictest',
    async (level, [platform, own]) => {
      setClock(0)
      const email = `${level}@acme.test`
      const joined = await callApi(acme.url, acme.adminToken, 'POST', '/users', { email, name: 'Kim' })
      await callApi(acme.url, acme.adminToken, 'POST', '/organizations/acme/members', {
        user_id: joined.json['id'],
        role: 'member',
      })
      await setPolicies({ max_active_tokens: platform }, { max_active_tokens: own })
      await issuePat(acme.url, acme.adminToken, email, { name: 'first' })
      const path = `/users/${joined.json['id']}/tokens`
      const { status, json } = await callApi(acme.url, acme.adminToken, 'POST', path, { name: 'second' })
      expect([status, json['code'], json['limit']]).toEqual([409, 'token_limit_reached', 1])
    },
  )
})

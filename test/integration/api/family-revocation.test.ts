import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Acme, API, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { eventsOf, forgeSecretOf, idOf, pathOf, rotateItself, rowOf } from './credential-desk.ts'
import { DirectoryDesk, REFUSED } from './directory-desk.ts'

const HOUR = 3600

let acme: Acme
let desk: DirectoryDesk
let janeId: string
beforeAll(async () => {
  acme = await startAcme({ PATMINT_CREDENTIAL_REUSE: 'revoke_family' })
  desk = new DirectoryDesk(acme)
  janeId = await desk.findUserId('jane@acme.test')
  await acme.db.updateTable('expiry_policies').set({ max_active_tokens: 100 }).execute()
})
afterAll(() => acme.stop())

const issue = (): Promise<string> =>
  acme.issue('jane@acme.test', { name: `of a family ${crypto.randomUUID()}` })
const exchange = (subject_token: string) => requestExchange(acme.url, { subject_token, audience: API })
const show = async (credential: string): Promise<Record<string, unknown>> =>
  (await callApi(acme.url, acme.janePat, 'GET', pathOf(credential))).json

describe('use of an old value after its overlap, where that ends its family', () => {
  it('revokes whatever of it still lives, each with its record', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first)
    const third = await rotateItself(acme, second, { overlap_seconds: HOUR })
    await exchange(first)
    for (const credential of [second, third]) {
      expect((await exchange(credential)).json).toEqual(REFUSED)
      expect(await show(credential)).toMatchObject({ status: 'revoked', status_detail: 'predecessor_reused' })
      const whose = { subject: janeId, actor: null, organization: 'acme', ip: '127.0.0.1' }
      expect(await eventsOf(acme, idOf(credential), 'credential.revoked')).toEqual([
        {
          type: 'credential.revoked',
          ...whose,
          reason: 'predecessor_reused',
          detail: { predecessor: idOf(first) },
        },
      ])
    }
    expect(await eventsOf(acme, idOf(third), 'credential.reuse_detected')).toHaveLength(1)
    expect((await rowOf(acme, idOf(first))).revoked_at).toBeNull()
  })

  it('is found whole by the id of the request that betrayed it', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first)
    const third = await rotateItself(acme, second, { overlap_seconds: HOUR })
    const requestId = (await exchange(first)).headers.get('x-request-id')
    const { json } = await callApi(acme.url, acme.adminToken, 'GET', `/audit-events?request_id=${requestId}`)
    const found = (json['items'] as Record<string, unknown>[]).map((one) => [one['type'], one['credential']])
    expect(found).toHaveLength(4)
    expect(found).toEqual(
      expect.arrayContaining([
        ['exchange.refused', idOf(first)],
        ['credential.reuse_detected', idOf(third)],
        ['credential.revoked', idOf(second)],
        ['credential.revoked', idOf(third)],
      ]),
    )
  })

  it('is recorded once, however often and however many at once', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first)
    await Promise.all(Array.from({ length: 10 }, () => exchange(first)))
    await exchange(first)
    expect(await eventsOf(acme, idOf(second), 'credential.revoked')).toHaveLength(1)
    expect(await eventsOf(acme, idOf(second), 'credential.reuse_detected')).toHaveLength(1)
  })

  it('leaves no successor of a rotation at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      const first = await issue()
      const second = await rotateItself(acme, first)
      const rotation = rotateItself(acme, second).catch(() => null)
      await Promise.all([exchange(first), rotation])
      const survivor = (await rotation) ?? second
      expect((await exchange(survivor)).json).toEqual(REFUSED)
    }
  })

  it('leaves other credentials of the owner alone', async () => {
    const other = await issue()
    const first = await issue()
    await rotateItself(acme, first)
    await exchange(first)
    expect((await exchange(other)).status).toBe(200)
  })

  it('is nothing a wrong secret can bring about', async () => {
    const first = await issue()
    const second = await rotateItself(acme, first)
    await exchange(forgeSecretOf(first))
    await callApi(acme.url, forgeSecretOf(first), 'GET', '/tokens')
    expect((await exchange(second)).status).toBe(200)
  })

  it('ends an API key too', async () => {
    const key = await desk.issueKey('acme', 'analyst')
    const successor = await rotateItself(acme, key)
    await exchange(key)
    expect((await exchange(successor)).json).toEqual(REFUSED)
    expect(await eventsOf(acme, idOf(successor), 'credential.revoked')).toMatchObject([
      { subject: `key:${idOf(successor)}`, organization: 'acme' },
    ])
  })
})

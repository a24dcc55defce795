// What a service learns that verifies with the library: by the list alone, within one ttl, whatever stops a credential
// and whatever brings it back. Verifier and server share a clock that nobody waits for.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Acme, REPORTS, startAcme } from '../../support/acme.ts'
import { callApi, requestExchange } from '../../support/requests.ts'
import { StatusWitness } from '../../support/status-witness.ts'

const TTL_SECONDS = 30

let acme: Acme
let now: Date
let verifier: StatusWitness
beforeAll(async () => {
  acme = await startAcme()
  now = new Date()
  acme.setClock(() => now)
})
afterAll(() => acme.stop())
beforeEach(() => {
  verifier = new StatusWitness(acme, () => now)
})

const wait = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000)
}

const admin = (method: string, path: string, body?: unknown) =>
  callApi(acme.url, acme.adminToken, method, path, body)

let made = 0
/** A PAT of Sam's with an access token of it, for ten minutes. */
async function makeToken(terms: Record<string, unknown> = {}) {
  made += 1
  const pat = await acme.issue('sam@acme.test', { name: `job ${made}`, ...terms })
  const answer = await requestExchange(acme.url, { subject_token: pat, audience: REPORTS })
  if (answer.status !== 200) throw new Error(answer.text)
  return { pat, id: pat.slice(4, 20), token: String(answer.json['access_token']) }
}

async function findSam(): Promise<string> {
  const found = await admin('GET', '/users?email=sam@acme.test')
  return (found.json['items'] as { id: string }[])[0]?.id ?? ''
}

describe('a service with the library', () => {
  it('refuses a token one ttl after its credential was revoked, and may pass it until then', async () => {
    const [revoked, other] = [await makeToken(), await makeToken()]
    expect(await verifier.statusOf(revoked.token)).toBe('valid')
    const end = await callApi(acme.url, revoked.pat, 'DELETE', `/tokens/${revoked.id}`)
    expect(end.status).toBe(204)
    // Not so late that the next list is fetched already.
    wait(TTL_SECONDS - 6)
    expect(await verifier.statusOf(revoked.token)).toBe('valid')
    wait(6)
    expect(await verifier.statusOf(revoked.token)).toBe('revoked')
    expect(await verifier.statusOf(other.token)).toBe('valid')
  })

  it('refuses the tokens of a suspended user one ttl later, and passes them one ttl after the user is back', async () => {
    const { token } = await makeToken()
    const sam = await findSam()
    expect(await verifier.statusOf(token)).toBe('valid')
    await admin('PATCH', `/users/${sam}`, { status: 'suspended' })
    wait(TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('suspended')
    await admin('PATCH', `/users/${sam}`, { status: 'active' })
    wait(TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('valid')
  })

  it('refuses the tokens of somebody who is no member any more, and passes them when they are one again', async () => {
    const { token } = await makeToken()
    const sam = await findSam()
    expect(await verifier.statusOf(token)).toBe('valid')
    expect((await admin('DELETE', `/organizations/acme/members/${sam}`)).status).toBe(204)
    wait(TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('suspended')
    const again = await admin('POST', '/organizations/acme/members', { user_id: sam, role: 'engineer' })
    expect(again.status).toBe(201)
    wait(TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('valid')
  })

  it('refuses what a policy blocks, and passes it when the policy is loosened', async () => {
    const { token } = await makeToken()
    expect(await verifier.statusOf(token)).toBe('valid')
    wait(200)
    const limitLifetime = (seconds: number) =>
      acme.db
        .updateTable('expiry_policies')
        .set({ max_lifetime_seconds: seconds })
        .where('organization_id', 'is', null)
        .execute()
    await limitLifetime(100)
    wait(TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('suspended')
    await limitLifetime(365 * 86_400)
    wait(TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('valid')
  })

  it('refuses what a rotation has replaced, when the overlap is over', async () => {
    const { pat, id, token } = await makeToken()
    const rotated = await callApi(acme.url, pat, 'POST', `/tokens/${id}/rotate`, { overlap_seconds: 60 })
    expect(rotated.status).toBe(201)
    expect(await verifier.statusOf(token)).toBe('valid')
    wait(60 + TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('revoked')
  })

  it('refuses what has expired', async () => {
    const { id, token } = await makeToken({ expires_in_seconds: 7200 })
    expect(await verifier.statusOf(token)).toBe('valid')
    // The token ends no later than its credential: here the credential ends first, by hand.
    await acme.db.updateTable('credentials').set({ expires_at: now }).where('id', '=', id).execute()
    wait(TTL_SECONDS)
    expect(await verifier.statusOf(token)).toBe('revoked')
  })
})

describe('a list', () => {
  it('is made once, however many ask at once, and again when a third of a ttl has gone by', async () => {
    const uri = `${acme.url}/oauth2/status-lists/0`
    wait(TTL_SECONDS)
    acme.takeQueries()
    const countMade = () => acme.takeQueries().filter((query) => query.includes('former_members')).length
    const fetchTag = async () => (await fetch(uri)).headers.get('etag')
    const tags = await Promise.all(Array.from({ length: 20 }, fetchTag))
    expect([new Set(tags).size, countMade()]).toEqual([1, 1])
    wait(TTL_SECONDS / 3 - 0.001)
    expect([await fetchTag(), countMade()]).toEqual([tags[0], 0])
    wait(0.001)
    expect([await fetchTag(), countMade()]).toEqual([expect.not.stringMatching(tags[0] ?? ''), 1])
  })

  it('costs an exchange nothing', async () => {
    const { pat } = await makeToken()
    acme.takeQueries()
    await requestExchange(acme.url, { subject_token: pat, audience: REPORTS })
    const queries = acme.takeQueries()
    // What decides, and the record.
    expect(queries).toHaveLength(2)
    expect(queries.filter((query) => /former_members|max\(status_index\)/.test(query))).toEqual([])
  })
})

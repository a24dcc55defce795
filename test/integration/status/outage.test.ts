// While the database is away the last list goes on until it expires, and after that nobody is told anything.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Acme, REPORTS, startAcme } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { requestExchange } from '../../support/requests.ts'
import { StatusWitness } from '../../support/status-witness.ts'
import { createTestDatabase } from '../../support/test-database.ts'

const LIFETIME_SECONDS = 90

let acme: Acme
let proxy: DatabaseProxy
let now = new Date()
beforeAll(async () => {
  proxy = await startDatabaseProxy(await createTestDatabase())
  acme = await startAcme({
    PATMINT_DATABASE_URL: proxy.url,
    PATMINT_DATABASE_CONNECT_SECONDS: '1',
    PATMINT_STATUS_LIST_LIFETIME_SECONDS: String(LIFETIME_SECONDS),
  })
  acme.setClock(() => now)
})
afterAll(async () => {
  await acme.stop()
  proxy.close()
})

const wait = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1000)
}
const fetchLists = () =>
  Promise.all(['/0', ''].map((path) => fetch(`${acme.url}/oauth2/status-lists${path}`)))
const statuses = async () => (await fetchLists()).map(({ status }) => status)

it.each(['refuse', 'blackHole'] as const)('stays up until its exp, and comes back: %s', async (fault) => {
  const verifier = new StatusWitness(acme, () => now)
  const answer = await requestExchange(acme.url, { subject_token: acme.samPat, audience: REPORTS })
  const token = String(answer.json['access_token'])
  expect(await verifier.statusOf(token)).toBe('valid')
  const [before] = await fetchLists()

  proxy[fault]()
  wait(LIFETIME_SECONDS - 1)
  expect(await verifier.statusOf(token)).toBe('valid')
  const [during] = await fetchLists()
  expect(await during?.text()).toBe(await before?.text())
  // Caches do not keep what a newer one is looked for.
  expect(during?.headers.get('cache-control')).toBe('public, max-age=0')
  // What only the database knows.
  const unknown = await fetch(`${acme.url}/oauth2/status-lists/1`)
  expect([unknown.status, unknown.headers.get('retry-after')]).toEqual([503, '1'])

  wait(1)
  const [list, all] = await fetchLists()
  expect([list?.status, list?.headers.get('retry-after')]).toEqual([503, '1'])
  expect(await list?.json()).toEqual({
    type: 'about:blank',
    title: 'Try again later',
    status: 503,
    code: 'temporarily_unavailable',
  })
  // Which lists there are does not expire.
  expect(all?.status).toBe(200)
  expect(await verifier.statusOf(token)).toBe('unknown')

  await proxy.mend()
  await expect.poll(statuses, { timeout: 10_000 }).toEqual([200, 200])
  // It leaves a server alone for a while that did not answer; and the next to come begins with a new list.
  wait(30)
  expect(await verifier.statusOf(token)).toBe('valid')
})

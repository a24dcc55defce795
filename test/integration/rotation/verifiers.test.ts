// A rotation as those who verify see it: real instances and workers, other people's verifiers with the caches they have
// by default, 20 exchanges a second. In time as it passes, for no clock of ours moves their caches; the wait of a new
// key is as short as the configuration allows, and still longer than the longest cool-down among them (jose's 30 s).

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { API } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import { hasPyJwt, startPyJwt } from '../../support/pyjwt.ts'
import { issuePat, requestExchange } from '../../support/requests.ts'
import {
  newDataDir,
  newSecretKey,
  runServerCommand,
  type ServerProcess,
  startServerProcess,
} from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { createFamilies, JWKS_PATH, type Verify } from '../../support/verifier-families.ts'

const ISSUER = 'https://sts.example.test'
const EVERY_MS = 50
const MOST_AT_ONCE = 10
/** As many with the new key as are many at each process. */
const AFTERWARDS = 60
const TIMEOUT_MS = 180_000

/** One address for the key set and the status lists of all instances, which answer in turn. */
async function startFront(
  urls: readonly string[],
): Promise<{ readonly origin: string; readonly stop: () => void }> {
  let asked = 0
  const front = createServer(async (request, response) => {
    const answer = await fetch(`${urls[asked++ % urls.length]}${request.url}`)
    response
      .writeHead(answer.status, {
        'cache-control': answer.headers.get('cache-control') ?? '',
        'content-type': answer.headers.get('content-type') ?? '',
      })
      .end(await answer.text())
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const { port } = front.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, stop: () => void front.close() }
}

describe('a rotation under load', { timeout: TIMEOUT_MS }, () => {
  const servers: ServerProcess[] = []
  const stops: (() => void)[] = []
  const variables: Record<string, string> = {
    PATMINT_ISSUER: ISSUER,
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_DATA_DIR: newDataDir(),
    PATMINT_JWKS_MAX_AGE_SECONDS: '1',
    PATMINT_KEY_POLL_SECONDS: '1',
    ORDERS_SECRET: canary('orders-service-secret-0123456789'),
  }
  let families: Record<string, Verify>
  let subject_token = ''

  beforeAll(async () => {
    variables['PATMINT_DATABASE_URL'] = await createTestDatabase()
    variables['PATMINT_APPLY'] = 'config/example.yaml'
    servers.push(await startServerProcess(variables))
    servers.push(await startServerProcess({ ...variables, PATMINT_WORKERS: '2' }))
    const [first] = servers
    subject_token = await issuePat(first?.url ?? '', first?.bootstrapToken() ?? '', 'jane@acme.test', {
      name: 'laptop',
    })
    const { origin, stop } = await startFront(servers.map(({ url }) => url))
    stops.push(stop)
    families = createFamilies({ origin, issuer: ISSUER, audience: API })
    if (hasPyJwt()) {
      const { verify, stop } = startPyJwt(origin + JWKS_PATH, ISSUER, API)
      stops.push(stop)
      families['PyJWT'] = verify
    }
  }, TIMEOUT_MS)
  afterAll(async () => {
    for (const stop of stops) stop()
    await Promise.all(servers.map((server) => server.stop()))
  })

  const failures: string[] = []
  /** What each key signed first, and how much it signed. */
  const signed = new Map<string, { readonly token: string; count: number }>()

  async function verifyByAll(token: string): Promise<void> {
    const { kid = '' } = decodeProtectedHeader(token)
    const verifications = Object.entries(families).map(([family, verify]) =>
      verify(token).catch((error: unknown) => failures.push(`${family} on ${kid}: ${error}`)),
    )
    await Promise.all(verifications)
  }

  async function exchangeAndVerify(url: string): Promise<void> {
    // A connection of its own, so that the workers take turns.
    const answer = await requestExchange(url, { subject_token, audience: API }, { Connection: 'close' })
    const token = String(answer.json['access_token'])
    if (answer.status !== 200) return void failures.push(`exchange: ${answer.status} ${answer.text}`)
    const { kid = '' } = decodeProtectedHeader(token)
    const found = signed.get(kid) ?? { token, count: 0 }
    found.count += 1
    signed.set(kid, found)
    await verifyByAll(token)
  }

  it('is seen by no verifier: not one token fails, before, during and after it', async () => {
    await exchangeAndVerify(servers[0]?.url ?? '')
    const rotated = await runServerCommand(['rotate-keys'], variables)
    expect([rotated.code, rotated.stderr]).toEqual([0, ''])

    const work = new Set<Promise<void>>()
    const isOver = (): boolean => (Array.from(signed.values())[1]?.count ?? 0) >= AFTERWARDS
    for (let sent = 0; !isOver() && failures.length === 0; sent += 1) {
      // A machine that is too busy for 20 a second must not be buried under those that wait.
      if (work.size >= MOST_AT_ONCE) await Promise.race(work)
      const url = servers[sent % servers.length]?.url ?? ''
      const one: Promise<void> = exchangeAndVerify(url).finally(() => work.delete(one))
      work.add(one)
      await sleep(EVERY_MS)
    }
    await Promise.all(work)
    // A token of the old key is still good for as long as it says.
    await verifyByAll(Array.from(signed.values())[0]?.token ?? '')
    expect(failures).toEqual([])
    const kids = Array.from(signed.keys())
    expect(rotated.stdout).toMatch(
      new RegExp(`^ES256: ${kids[1]} is published, and takes over from ${kids[0]} at `, 'm'),
    )
    expect(kids).toHaveLength(2)
    expect(Object.keys(families).length).toBeGreaterThanOrEqual(6)
  })
})

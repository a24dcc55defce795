// Notices while the database comes and goes: the server stays up, says little, sends nothing twice and nothing less.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { ORDERS_SECRET } from '../../support/acme.ts'
import { type DatabaseProxy, startDatabaseProxy } from '../../support/database-proxy.ts'
import { canary } from '../../support/evidence.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../../support/notice-receivers.ts'
import { callApi, issuePat } from '../../support/requests.ts'
import {
  newDataDir,
  newSecretKey,
  type ServerProcess,
  startServerProcess,
} from '../../support/server-process.ts'
import { createTestDatabase } from '../../support/test-database.ts'
import { makeOlder } from './older-credential.ts'

const PATIENCE = { timeout: 25_000, interval: 50 }
const THREE_DAYS_SECONDS = 3 * 86_400
/** For several looks of each worker, none of which gets through. */
const OUTAGE_MS = 5000

let databaseUrl: string
let proxy: DatabaseProxy
let receiver: WebhookReceiver
let variables: Record<string, string>
let server: ServerProcess
let admin: string

beforeAll(async () => {
  databaseUrl = await createTestDatabase()
  proxy = await startDatabaseProxy(databaseUrl)
  receiver = await startWebhookReceiver(canary(`whsec_${randomBytes(32).toString('base64')}`))
  const config = join(mkdtempSync(join(inject('evidenceDir'), 'notices-')), 'patmint.yaml')
  writeFileSync(
    config,
    `notices: { webhooks: [{ url: ${receiver.url}, secret: ${receiver.secret} }], timeout_seconds: 2, retry_seconds: 1 }`,
  )
  variables = {
    PATMINT_ISSUER: 'https://sts.example.test',
    PATMINT_DATABASE_URL: proxy.url,
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_DATA_DIR: newDataDir(),
    PATMINT_APPLY: 'config/example.yaml',
    PATMINT_CONFIG: config,
    ORDERS_SECRET: canary(ORDERS_SECRET),
  }
  server = await startServerProcess(variables)
  admin = server.bootstrapToken()
})
afterAll(async () => {
  await server?.stop()
  await receiver?.close()
  proxy?.close()
})

/** A start looks for what is due. */
async function restart(): Promise<void> {
  expect(await server.stop()).toBe(0)
  server = await startServerProcess(variables)
}

async function issue(name: string): Promise<void> {
  const body = { name, expires_in_seconds: THREE_DAYS_SECONDS }
  await makeOlder(databaseUrl, await issuePat(server.url, admin, 'jane@acme.test', body))
}

const countNotices = async (state: string): Promise<number> =>
  ((await callApi(server.url, admin, 'GET', `/notices?state=${state}`)).json['items'] as unknown[]).length

describe('a notice', () => {
  it('whose record is lost on its way is recorded again, and not sent again', async () => {
    await issue('one')
    const lost = proxy.cutOnce('client', /update "notices"/)
    await restart()
    await lost
    await vi.waitFor(async () => expect(await countNotices('delivered')).toBe(1), PATIENCE)
    expect(receiver.ids).toHaveLength(1)
  })

  it('that waits while the database is away is sent when it is back, once', async () => {
    await issue('two')
    receiver.answerWith(503)
    await restart()
    await vi.waitFor(() => expect(receiver.ids.length).toBeGreaterThan(1), PATIENCE)
    await proxy.refuse()
    receiver.answerWith(200)
    await sleep(OUTAGE_MS)
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    await proxy.mend()
    await vi.waitFor(() => expect(receiver.events).toHaveLength(2), PATIENCE)
    await vi.waitFor(async () => expect(await countNotices('delivered')).toBe(2), PATIENCE)
    expect(receiver.events.map(({ data }) => data.credential.name)).toEqual(['one', 'two'])
    const told = server.lines.filter((line) => line.includes('background task failed'))
    expect(told.length).toBeLessThanOrEqual(2)
  }, 60_000)
})

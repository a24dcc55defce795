// Notices from end to end: server processes on one database, a real SMTP server and a real receiver of webhooks.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { ORDERS_SECRET } from '../../support/acme.ts'
import { canary } from '../../support/evidence.ts'
import {
  type Mail,
  type MailServer,
  startMailServer,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../../support/notice-receivers.ts'
import { callApi, issuePat } from '../../support/requests.ts'
import {
  newDataDir,
  newSecretKey,
  type ServerProcess,
  startServerProcess,
} from '../../support/server-process.ts'
import { createTestDatabase, withClient } from '../../support/test-database.ts'
import { makeOlder } from './older-credential.ts'

const DAY_SECONDS = 86_400
const PATIENCE = { timeout: 25_000, interval: 50 }

const newSecret = (): string => canary(`whsec_${randomBytes(32).toString('base64')}`)

let mail: MailServer
let steady: WebhookReceiver
let shaky: WebhookReceiver
let gone: WebhookReceiver
let mailPassword: string
let databaseUrl: string
let variables: Record<string, string>
let first: ServerProcess
let second: ServerProcess | undefined
let admin: string

beforeAll(async () => {
  mailPassword = canary(randomBytes(12).toString('hex'))
  ;[mail, steady, shaky, gone] = await Promise.all([
    startMailServer(mailPassword),
    startWebhookReceiver(newSecret()),
    startWebhookReceiver(newSecret()),
    startWebhookReceiver(newSecret()),
  ])
  gone.answerWith(410)
  const config = join(mkdtempSync(join(inject('evidenceDir'), 'notices-')), 'patmint.yaml')
  writeFileSync(
    config,
    `notices:
  email: { from: Patmint <patmint@sts.example.test> }
  webhooks:
    - { name: steady, url: ${steady.url}, secret: "${newSecret()},${steady.secret}" }
    - { name: shaky, url: ${shaky.url}, secret: ${shaky.secret} }
    - { name: gone, url: ${gone.url}, secret: ${gone.secret} }
  timeout_seconds: 2
  attempts: 3
  retry_seconds: 1
  check_minutes: 60
`,
  )
  databaseUrl = await createTestDatabase()
  variables = {
    PATMINT_CONFIG: config,
    PATMINT_ISSUER: 'https://sts.example.test',
    PATMINT_DATABASE_URL: databaseUrl,
    PATMINT_SECRET_KEY: newSecretKey(),
    PATMINT_APPLY: 'config/example.yaml',
    PATMINT_NOTICES_SMTP_URL: mail.url,
    ORDERS_SECRET: canary(ORDERS_SECRET),
  }
  first = await start()
  admin = first.bootstrapToken()
})
afterAll(async () => {
  await Promise.all([first?.stop(), second?.stop()])
  await Promise.all([mail?.close(), steady?.close(), shaky?.close(), gone?.close()])
})

/** Every start looks for what is due. */
const start = (): Promise<ServerProcess> =>
  startServerProcess({ ...variables, PATMINT_DATA_DIR: newDataDir() })

/** A PAT that ends in so many days, and was made long before. */
async function issue(email: string, name: string, days: number): Promise<string> {
  const pat = await issuePat(first.url, admin, email, { name, expires_in_seconds: days * DAY_SECONDS })
  await makeOlder(databaseUrl, pat)
  return pat
}

const subjectOf = ({ text }: Mail): string => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? ''
const namesAt = ({ events }: WebhookReceiver): string[] =>
  events.map(({ data }) => data.credential.name).sort()
const subjects = (names: readonly string[], left: string): string[] =>
  names.map((name) => `Your token ${name} stops working in ${left}`).sort()

type Listed = Record<'id' | 'credential' | 'receiver' | 'state' | 'reason', string> & {
  readonly attempts: number
}

async function listNotices(query: string): Promise<Listed[]> {
  const answer = await callApi(first.url, admin, 'GET', `/notices?limit=200&${query}`)
  return answer.json['items'] as Listed[]
}

const EARLY = ['one', 'two', 'three'].sort()
const LATE = ['four', 'five', 'six', 'seven'].sort()

describe('of two instances, one is killed while it sends', () => {
  it('and every receiver is told of every credential once, also one that was down', async () => {
    for (const name of EARLY) await issue('jane@acme.test', name, 3)
    await issue('jane@acme.test', 'far', 50)
    await shaky.close()
    mail.hold(true)
    steady.answerWith(null)
    const held = Promise.all([mail.held(), steady.held()])
    // So that it is the second one that has them.
    first.process.kill('SIGSTOP')
    second = await start()
    await held
    await second.stop('SIGKILL')
    // The time after which they are taken for lost, which nobody needs to wait for.
    await withClient(databaseUrl, (client) =>
      client.query(
        "update patmint_queue.job set started_on = started_on - interval '1 minute' where state = 'active'",
      ),
    )
    mail.hold(false)
    steady.answerWith(200)
    shaky = await startWebhookReceiver(shaky.secret, Number(new URL(shaky.url).port))
    first.process.kill('SIGCONT')
    await vi.waitFor(() => {
      expect(namesAt(steady)).toEqual(EARLY)
      expect(namesAt(shaky)).toEqual(EARLY)
      expect(mail.mails.map(subjectOf).sort()).toEqual(subjects(EARLY, '3 days'))
    }, PATIENCE)
    expect(steady.ids.length).toBeGreaterThan(EARLY.length)
    expect(new Set(steady.ids).size).toBe(EARLY.length)
    await vi.waitFor(async () => expect(await listNotices('state=pending')).toEqual([]), PATIENCE)
  }, 60_000)

  it('what a receiver refuses has failed and is seen, and is told of once when somebody has it tried again', async () => {
    const values = new Map<string, string>()
    for (const name of LATE) values.set(name, await issue('sam@acme.test', name, 2))
    shaky.answerWith(500)
    second = await start()
    await vi.waitFor(() => expect(namesAt(steady)).toEqual([...EARLY, ...LATE].sort()), PATIENCE)
    await vi.waitFor(async () => expect(await listNotices('state=pending')).toEqual([]), PATIENCE)
    expect(namesAt(steady)).toEqual([...EARLY, ...LATE].sort())
    expect(namesAt(shaky)).toEqual(EARLY)
    expect(mail.mails.map(subjectOf).sort()).toEqual(
      [...subjects(EARLY, '3 days'), ...subjects(LATE, '2 days')].sort(),
    )
    const failed = await listNotices('state=failed')
    const toldBy = (receiver: string): Listed[] => failed.filter((notice) => notice.receiver === receiver)
    const late = toldBy('shaky')
    expect(late.map(({ reason, attempts }) => [reason, attempts])).toEqual(
      LATE.map(() => ['the receiver answered 500', 3]),
    )
    expect(toldBy('gone').map(({ reason }) => reason)).toEqual(
      [...EARLY, ...LATE].map(() => 'the receiver answered 410'),
    )
    expect(failed).toHaveLength(late.length + EARLY.length + LATE.length)

    shaky.answerWith(200)
    const revoked = late.find(({ credential }) => credential === values.get('four')?.slice(4, 20))
    await callApi(first.url, values.get('four'), 'DELETE', `/tokens/${revoked?.credential}`)
    for (const { id } of late) {
      expect((await callApi(first.url, admin, 'POST', `/notices/${id}/retry`)).status).toBe(200)
      expect((await callApi(first.url, admin, 'POST', `/notices/${id}/retry`)).json['code']).toBe(
        'notice_not_failed',
      )
    }
    await vi.waitFor(async () => expect(await listNotices('state=pending')).toEqual([]), PATIENCE)
    expect(namesAt(shaky)).toEqual([...EARLY, ...LATE.filter((name) => name !== 'four')].sort())
    expect(await listNotices('state=cancelled')).toEqual([
      expect.objectContaining({ id: revoked?.id, reason: 'credential_stopped' }),
    ])
  })

  it('and no log holds a secret of theirs, nor a line for every try', () => {
    const told = first.lines.filter((line) => line.includes('notices do not arrive'))
    expect(told.length).toBeLessThanOrEqual(4)
    for (const secret of [mailPassword, shaky.secret, steady.secret])
      expect([...first.lines, ...(second?.lines ?? [])].join('\n')).not.toContain(secret)
  })
})

// Mails of notices at a real SMTP server: who gets them, what becomes of those it refuses, and TLS.

import { randomBytes } from 'node:crypto'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMail, type SendMail } from '../../../src/server/notices/mail.ts'
import { canary } from '../../support/evidence.ts'
import { LOCALHOST } from '../../support/localhost-certificate.ts'
import { type MailServer, startMailServer } from '../../support/notice-receivers.ts'
import { ISSUER } from '../../support/test-server.ts'
import { DAY_SECONDS, EMAIL, type NoticeDesk, startNoticeDesk } from './notice-desk.ts'

const [ADA, BEA] = ['ada@acme.test', 'bea@acme.test']

let desk: NoticeDesk
let server: MailServer
let secure: MailServer
beforeAll(async () => {
  const newPassword = (): string => canary(randomBytes(12).toString('hex'))
  ;[desk, server, secure] = await Promise.all([
    startNoticeDesk(),
    startMailServer(newPassword()),
    startMailServer(newPassword(), LOCALHOST),
  ])
  const { id } = await desk.call('POST', '/users', { email: BEA, name: 'Bea' })
  await desk.call('POST', '/organizations/acme/members', { user_id: id, role: 'admin' })
})
afterAll(() => Promise.all([desk?.stop(), server?.close(), secure?.close()]))

const mailBy = ({ url }: MailServer): SendMail =>
  createMail({
    smtpUrl: url,
    from: 'patmint@sts.example.test',
    issuer: ISSUER,
    timeoutMs: 10_000,
    clock: () => new Date(),
  })

/** The notice of an API key of acme that is about to end, by mail. */
async function openNotice(name: string): Promise<string> {
  desk.setDays(0)
  const body = { name, role: 'analyst', expires_in_seconds: 8 * DAY_SECONDS }
  await desk.call('POST', '/organizations/acme/keys', body)
  desk.setDays(4)
  const [id = '', ...more] = await desk.look({ receivers: [EMAIL] })
  expect(more).toEqual([])
  return id
}

const viewOf = async (id: string): Promise<unknown> => {
  const { items } = await desk.call('GET', '/notices?limit=200')
  return (items as { id: string }[]).find((notice) => notice.id === id)
}

describe('a mail of an API key', () => {
  it('goes to everybody who may write API keys there, and to nobody else', async () => {
    const id = await openNotice('all')
    expect(await desk.deliver([id], { mail: mailBy(server) })).toEqual(['done'])
    expect(server.mails.at(-1)?.to.toSorted()).toEqual([ADA, BEA])
    expect(server.mails.at(-1)?.text).toContain('Subject: API key all stops working in')
    expect(await viewOf(id)).toMatchObject({ state: 'delivered', reason: null, attempts: 1 })
  })

  it.each([450, 550])(
    'that is refused to one of them with %i is tried again for them alone, until they have it',
    async (status) => {
      const id = await openNotice(`part ${status}`)
      const before = server.mails.length
      const addressees = (): unknown => server.mails.slice(before).map(({ to }) => to)
      server.refuse(BEA, status)
      expect(await desk.deliver([id], { mail: mailBy(server) })).toEqual(['again'])
      expect(addressees()).toEqual([[ADA]])
      const reason = `the mail server answered ${status} for 1 of 2 people`
      expect(desk.outcomes.at(-1)).toMatchObject({ end: 'retried', reason })
      expect(await viewOf(id)).toMatchObject({ state: 'pending', reason, attempts: 1 })

      expect(await desk.deliver([id], { mail: mailBy(server) })).toEqual(['again'])
      expect(addressees()).toEqual([[ADA]])
      expect(await viewOf(id)).toMatchObject({ reason: `the mail server answered ${status}`, attempts: 2 })

      server.refuse(BEA, undefined)
      expect(await desk.deliver([id], { mail: mailBy(server) })).toEqual(['done'])
      expect(addressees()).toEqual([[ADA], [BEA]])
      expect(await viewOf(id)).toMatchObject({ state: 'delivered', reason: null, attempts: 3 })
    },
  )
})

describe('a mail server with STARTTLS', () => {
  it('whose certificate does not verify is given no mail and no password, and the reason says so', async () => {
    const id = await openNotice('untrusted')
    expect(await desk.deliver([id], { mail: mailBy(secure) })).toEqual(['again'])
    expect(secure.mails).toEqual([])
    expect(await viewOf(id)).toMatchObject({ state: 'pending', reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  it('whose certificate verifies is given the mail over TLS', async () => {
    const id = await openNotice('trusted')
    const authorities = getCACertificates('default')
    setDefaultCACertificates([...authorities, LOCALHOST.cert])
    try {
      expect(await desk.deliver([id], { mail: mailBy(secure) })).toEqual(['done'])
    } finally {
      setDefaultCACertificates(authorities)
    }
    expect(secure.mails.map(({ isSecure }) => isSecure)).toEqual([true])
  })
})

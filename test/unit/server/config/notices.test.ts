import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canary } from '../../../support/evidence.ts'
import { load, problemsOf, problemsOfFile, writeConfigFile } from './config-fixture.ts'

const newSecret = (bytes = 32): string => canary(`whsec_${randomBytes(bytes).toString('base64')}`)
const decode = (secret: string): Buffer => Buffer.from(secret.slice('whsec_'.length), 'base64')
const SMTP_URL = 'smtps://patmint:pass@smtp.example.com'

const SMTP =
  'must be an smtp:// or smtps:// URL without path or query, such as smtps://user:password@smtp.example.com'
const FROM = 'must be an e-mail address, such as patmint@example.com or Patmint <patmint@example.com>'
const SECRET = 'must be whsec_ and 24 to 64 bytes in base64, or several of those separated by commas'
const PLAIN = 'must be https, but on a loopback address; allow_http: true permits it elsewhere'

describe('notices', () => {
  it('are off without e-mail and webhooks', () => {
    expect(load({}).notices).toBeUndefined()
    expect(problemsOfFile('notices: { days: [3] }')).toEqual([
      'FILE: notices must hold email, webhooks or both',
    ])
  })

  it('are on by variables alone, with every default', () => {
    const secret = newSecret()
    expect(
      load({
        PATMINT_NOTICES_SMTP_URL: SMTP_URL,
        PATMINT_NOTICES_FROM: 'Patmint <patmint@example.com>',
        PATMINT_NOTICES_WEBHOOK_URL: 'https://hooks.example.com/a',
        PATMINT_NOTICES_WEBHOOK_SECRET: secret,
      }).notices,
    ).toEqual({
      days: [1, 7, 30],
      email: { smtpUrl: SMTP_URL, from: 'Patmint <patmint@example.com>' },
      webhooks: [
        { name: 'hooks.example.com', url: 'https://hooks.example.com/a', secrets: [decode(secret)] },
      ],
      checkMinutes: 15,
      timeoutMs: 10_000,
      attempts: 12,
      retrySeconds: 10,
      keepDays: 90,
      queueSchema: 'patmint_queue',
    })
  })

  it('of a file are completed by variables, which win', () => {
    const [old, next, other] = [newSecret(), newSecret(24), newSecret(64)]
    const path = writeConfigFile(`notices:
  days: [2, 10]
  email: { smtp_url: smtp://localhost:25, from: a@example.com }
  webhooks:
    - { name: chat, url: http://127.0.0.1:9000/hook }
    - { url: http://hooks.internal:8080/, secret: ${other}, allow_http: true }
`)
    const { notices } = load({
      PATMINT_CONFIG: path,
      PATMINT_NOTICES_FROM: 'b@example.com',
      PATMINT_NOTICES_WEBHOOK_SECRET: `${old},${next}`,
    })
    expect(notices?.days).toEqual([2, 10])
    expect(notices?.email).toEqual({ smtpUrl: 'smtp://localhost:25', from: 'b@example.com' })
    expect(notices?.webhooks).toEqual([
      { name: 'chat', url: 'http://127.0.0.1:9000/hook', secrets: [decode(old), decode(next)] },
      { name: 'hooks.internal:8080', url: 'http://hooks.internal:8080/', secrets: [decode(other)] },
    ])
  })

  it('are refused with every problem, by the name of the variable or the key', () => {
    expect(
      problemsOf({
        PATMINT_NOTICES_SMTP_URL: 'smtp://mail.example.com/?tls.rejectUnauthorized=false',
        PATMINT_NOTICES_WEBHOOK_URL: 'http://hooks.example.com/',
        PATMINT_NOTICES_WEBHOOK_SECRET: newSecret(),
      }),
    ).toEqual([
      `PATMINT_NOTICES_SMTP_URL ${SMTP}`,
      `PATMINT_NOTICES_FROM ${FROM}`,
      `PATMINT_NOTICES_WEBHOOK_URL ${PLAIN}`,
    ])
    const secret = newSecret()
    expect(
      problemsOfFile(`notices:
  days: [7, 7]
  email: { smtp_url: https://mail.example.com, from: "a@b.test, c@d.test" }
  webhooks:
    - { url: https://user:pass@hooks.example.com/, secret: ${newSecret(23)} }
    - { url: https://hooks.example.com/, secret: "${secret},x", token: x }
  attempts: 0
`),
    ).toEqual([
      'FILE: notices.days must be up to ten different whole numbers from 1 to 365',
      `FILE: notices.email.smtp_url ${SMTP}`,
      `FILE: notices.email.from ${FROM}`,
      'FILE: notices.webhooks.0.url must be an http(s) URL without fragment or credentials',
      `FILE: notices.webhooks.0.secret ${SECRET}`,
      `FILE: notices.webhooks.1.secret ${SECRET}`,
      'FILE: notices.webhooks.1.token is not a known key',
      'FILE: notices.attempts must be a whole number from 1 to 20',
    ])
  })

  it('are refused with what is wrong between keys, whatever is wrong with others', () => {
    const secret = newSecret()
    const problems = (text: string): string[] => problemsOfFile(`notices:\n${text}`)
    expect(problems(`  webhooks: [{ url: http://hooks.example.com/, secret: x, token: x }]`)).toEqual([
      `FILE: notices.webhooks.0.secret ${SECRET}`,
      'FILE: notices.webhooks.0.token is not a known key',
      `FILE: notices.webhooks.0.url ${PLAIN}`,
    ])
    const twice = `{ url: https://hooks.example.com/, secret: ${secret} }`
    expect(problems(`  webhooks: [${twice}, ${twice.replace(secret, 'x')}]`)).toEqual([
      `FILE: notices.webhooks.1.secret ${SECRET}`,
      'FILE: notices.webhooks must be a list of up to ten, each of another name',
    ])
    expect(problems('  attempts: 0')).toEqual([
      'FILE: notices.attempts must be a whole number from 1 to 20',
      'FILE: notices must hold email, webhooks or both',
    ])
    expect(problems(`  webhooks: [${twice}, 5]`)).toHaveLength(1)
    expect(problems('  webhooks: 5')).toHaveLength(1)
    expect(problemsOfFile('notices: 5')).toHaveLength(1)
  })

  it('of two webhooks on one host need names', () => {
    const two = (names: readonly string[]): string => `notices:
  webhooks:
${names.map((name) => `    - { ${name}url: https://hooks.example.com/, secret: ${newSecret()} }`).join('\n')}
`
    expect(problemsOfFile(two(['', '']))).toEqual([
      'FILE: notices.webhooks must be a list of up to ten, each of another name',
    ])
    expect(load({ PATMINT_CONFIG: writeConfigFile(two(['', 'name: b, '])) }).notices?.webhooks).toHaveLength(
      2,
    )
  })
})

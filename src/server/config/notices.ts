// Notices of credentials that are about to end: whether anybody gets them, by which ways, and how hard is tried.

import { z } from 'zod'
import { isLoopbackAddress } from '../../protocol/public-address.ts'
import { shaped, when, whenRight, wholeNumber } from './value.ts'

/** Standard Webhooks: 24 to 64 random bytes. */
const SECRET = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/
const [LEAST_SECRET_BYTES, MOST_SECRET_BYTES] = [24, 64]

const ERRORS = {
  notices: 'must hold email, webhooks or both',
  smtp_url:
    'must be an smtp:// or smtps:// URL without path or query, such as smtps://user:password@smtp.example.com',
  from: 'must be an e-mail address, such as patmint@example.com or Patmint <patmint@example.com>',
  url: 'must be an http(s) URL without fragment or credentials',
  plain: 'must be https, but on a loopback address; allow_http: true permits it elsewhere',
  secret: 'must be whsec_ and 24 to 64 bytes in base64, or several of those separated by commas',
  days: 'must be up to ten different whole numbers from 1 to 365',
  webhooks: 'must be a list of up to ten, each of another name',
} as const

const isSmtpUrl = (url: string): boolean => {
  const { hostname, pathname } = URL.parse(url) ?? { hostname: '', pathname: '' }
  return hostname !== '' && (pathname === '' || pathname === '/')
}

const isWebhookUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && url.username === '' && url.password === ''
}

const decodeSecret = (secret: string): Buffer => Buffer.from(secret.replace('whsec_', ''), 'base64')

const isSecretList = (text: string): boolean =>
  text.split(',').every((secret) => {
    const { length } = decodeSecret(secret)
    return SECRET.test(secret) && length >= LEAST_SECRET_BYTES && length <= MOST_SECRET_BYTES
  })

const isLoopbackHost = (hostname: string): boolean =>
  hostname === 'localhost' || isLoopbackAddress(hostname.replace(/^\[|\]$/g, ''))

const webhook = z
  .strictObject({
    name: shaped(/^[\w.:-]{1,100}$/, () => true, 'must be 1 to 100 letters, digits, or characters of ._:-')
      .describe('Names the receiver in the API, in logs and in the database; default: the host of its URL')
      .optional(),
    url: shaped(/^https?:\/\/[^#\s]+$/, isWebhookUrl, ERRORS.url).describe('Where notices are sent to'),
    secret: shaped(/^whsec_\S+$/, isSecretList, ERRORS.secret).describe(
      'Signs them (Standard Webhooks); several with commas while it is replaced: all of them sign',
    ),
    allow_http: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .describe('Whether the URL may be plain http although it is not on a loopback address'),
  })
  .refine(({ url, allow_http }) => allow_http || !isPlainElsewhere(url), {
    path: ['url'],
    error: ERRORS.plain,
    when: whenRight(['url', 'allow_http']),
  })

function isPlainElsewhere(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return protocol === 'http:' && !isLoopbackHost(hostname)
}

type WebhookFile = z.output<typeof webhook>

const nameOf = ({ name, url }: Pick<WebhookFile, 'name' | 'url'>): string => name ?? new URL(url).host

const isDistinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length

export const noticesSchema = z
  .strictObject(
    {
      days: z
        .array(wholeNumber(1, 365), { error: ERRORS.days })
        .min(1, { error: ERRORS.days })
        .max(10, { error: ERRORS.days })
        .refine(isDistinct, { error: ERRORS.days, when })
        .default([30, 7, 1])
        .describe('How many days before a credential ends its owner is told'),
      email: z
        .strictObject(
          {
            smtp_url: shaped(/^smtps?:\/\/[^?#\s]+$/, isSmtpUrl, ERRORS.smtp_url).describe(
              'Server that mails are handed to. A password is sent over TLS alone, but to a loopback address',
            ),
            from: shaped(/^[^\p{Cc}<>@]*<?[^\s<>@]+@[^\s<>@]+>?$/u, () => true, ERRORS.from).describe(
              'Sender of the mails',
            ),
          },
          { error: 'must hold smtp_url and from' },
        )
        .describe('Mails to the owner, or of an API key to whoever may write API keys in its organization')
        .optional(),
      webhooks: z
        .array(webhook, { error: ERRORS.webhooks })
        .max(10, { error: ERRORS.webhooks })
        .refine((webhooks) => isDistinct(webhooks.map(nameOf)), {
          error: ERRORS.webhooks,
          when: whenRight(['name', 'url'], 2),
        })
        .default([])
        .describe('Receivers of signed requests (Standard Webhooks)'),
      check_minutes: wholeNumber(1, 60)
        .default(15)
        .describe('How often is looked for credentials that are about to end'),
      timeout_seconds: wholeNumber(1, 60).default(10).describe('Longest a mail or a request may take'),
      attempts: wholeNumber(1, 20).default(12).describe('How often a notice is tried before it has failed'),
      retry_seconds: wholeNumber(1, 3600)
        .default(10)
        .describe('Wait after the first try that failed; it doubles from try to try, up to six hours'),
      keep_days: wholeNumber(1, 3650)
        .default(90)
        .describe('How long a notice is kept after the end of the credential it told of'),
      queue_schema: shaped(
        /^[a-z_][a-z0-9_]{0,49}$/,
        () => true,
        'must be the name of a schema in lower case',
      )
        .default('patmint_queue')
        .describe('Schema of the database that the jobs are kept in; made where it is missing'),
    },
    { error: ERRORS.notices },
  )
  .refine(({ email, webhooks }) => email !== undefined || webhooks.length > 0, {
    error: ERRORS.notices,
    when: whenRight(['email', 'webhooks']),
  })
  .describe('Notices of credentials that are about to end; absent: nobody is told')

export interface WebhookReceiver {
  readonly name: string
  readonly url: string
  /** All of them sign. */
  readonly secrets: readonly Buffer[]
}

export interface NoticeSettings {
  /** The nearest first. */
  readonly days: readonly number[]
  readonly email: { readonly smtpUrl: string; readonly from: string } | undefined
  readonly webhooks: readonly WebhookReceiver[]
  readonly checkMinutes: number
  /** Of one try. */
  readonly timeoutMs: number
  readonly attempts: number
  readonly retrySeconds: number
  readonly keepDays: number
  readonly queueSchema: string
}

export function toNoticeSettings(
  file: z.output<typeof noticesSchema> | undefined,
): NoticeSettings | undefined {
  if (file === undefined) return undefined
  const { email, webhooks } = file
  return Object.freeze({
    days: Object.freeze(file.days.toSorted((one, other) => one - other)),
    email: email && Object.freeze({ smtpUrl: email.smtp_url, from: email.from }),
    webhooks: Object.freeze(webhooks.map(toReceiver)),
    checkMinutes: file.check_minutes,
    timeoutMs: file.timeout_seconds * 1000,
    attempts: file.attempts,
    retrySeconds: file.retry_seconds,
    keepDays: file.keep_days,
    queueSchema: file.queue_schema,
  })
}

const toReceiver = (webhook: WebhookFile): WebhookReceiver =>
  Object.freeze({
    name: nameOf(webhook),
    url: webhook.url,
    secrets: Object.freeze(webhook.secret.split(',').map(decodeSecret)),
  })

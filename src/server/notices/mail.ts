// Notices as e-mail, handed to one SMTP server. The only importer of nodemailer.

import nodemailer from 'nodemailer'
import { isLoopbackAddress } from '../../protocol/public-address.ts'
import { renderMail } from './mail-text.ts'
import { DeliveryProblem, type Message, PartlyDelivered, type Recipient } from './message.ts'

export interface MailSettings {
  /** May hold a password. */
  readonly smtpUrl: string
  readonly from: string
  readonly issuer: string
  /** Of one mail. */
  readonly timeoutMs: number
  readonly clock: () => Date
}

/** Sends a message to these people; rejects as `Send`, and with `PartlyDelivered` when some of them got it. */
export type SendMail = (
  message: Message,
  recipients: readonly Recipient[],
  signal: AbortSignal,
) => Promise<void>

/** One address and nothing else: in a header field a comma would make two of it. */
const ADDRESS = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/

/** Those whom a mail can go to. */
export const listReachable = (people: readonly Recipient[]): Recipient[] =>
  people.filter(({ email }) => ADDRESS.test(email))

export function createMail({ smtpUrl, from, issuer, timeoutMs, clock }: MailSettings): SendMail {
  const transport = nodemailer.createTransport(toTransport(smtpUrl, timeoutMs))
  const domain = /@([^>]+)>?$/.exec(from)?.[1] ?? 'localhost'
  return async (message, recipients, signal) => {
    const mail = {
      from,
      to: recipients.map(({ email }) => ({ name: '', address: email })),
      // The same at every try, so that whoever gets it twice can tell.
      messageId: `<${message.id}@${domain}>`,
      // RFC 3834: nobody is out of office towards us.
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...renderMail(message, issuer, clock()),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }
    const { rejectedErrors = [] } = await transport.sendMail(mail).catch((error: unknown) => {
      throw toProblem(error)
    })
    const [first] = rejectedErrors
    if (first) throw toPartlyDelivered(recipients, rejectedErrors, first.responseCode)
  }
}

function toPartlyDelivered(
  recipients: readonly Recipient[],
  rejected: readonly { readonly recipient?: string | undefined }[],
  status: number | undefined,
): PartlyDelivered {
  const addresses = new Set(rejected.map(({ recipient = '' }) => recipient.toLowerCase()))
  const told = recipients.filter(({ email }) => !addresses.has(email.toLowerCase()))
  const count = recipients.length - told.length
  return new PartlyDelivered(
    `the mail server answered ${status} for ${count} of ${recipients.length} people`,
    told.map(({ id }) => id),
  )
}

/** Without the options nodemailer would read from the URL's query. */
function toTransport(smtpUrl: string, timeoutMs: number) {
  const { protocol, hostname, port, username, password } = new URL(smtpUrl)
  const host = hostname.replace(/^\[|\]$/g, '')
  const isLocal = host === 'localhost' || isLoopbackAddress(host)
  const auth = { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  return {
    host,
    secure: protocol === 'smtps:',
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' ? {} : { auth }),
    // Else whoever is in between takes STARTTLS out of the greeting, and reads the password.
    requireTLS: username !== '' && !isLocal,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** What an SMTP server says may quote anything: its status says enough. */
function toProblem(cause: unknown): unknown {
  const { responseCode } = cause as { responseCode?: unknown }
  if (typeof responseCode !== 'number') return cause
  return new DeliveryProblem(`the mail server answered ${responseCode}`, { cause })
}

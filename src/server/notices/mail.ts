// Notices as e-mail, handed to one SMTP server. The only importer of nodemailer.

import nodemailer from 'nodemailer'
import { isLoopbackAddress } from '../../protocol/public-address.ts'
import { renderMail } from './mail-text.ts'
import { DeliveryProblem, type Message } from './message.ts'

export interface MailSettings {
  /** May hold a password. */
  readonly smtpUrl: string
  readonly from: string
  readonly issuer: string
  /** Of one mail. */
  readonly timeoutMs: number
  readonly clock: () => Date
}

/** Sends a message to these people; what rejects and when as `Send`. */
export type SendMail = (message: Message, recipients: readonly string[], signal: AbortSignal) => Promise<void>

/** One address and nothing else: in a header field a comma would make two of it. */
const ADDRESS = /^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/

/** The addresses that a mail can go to. */
export const listReachable = (addresses: readonly string[]): string[] =>
  addresses.filter((address) => ADDRESS.test(address))

export function createMail({ smtpUrl, from, issuer, timeoutMs, clock }: MailSettings): SendMail {
  const transport = nodemailer.createTransport(toTransport(smtpUrl, timeoutMs))
  const domain = /@([^>]+)>?$/.exec(from)?.[1] ?? 'localhost'
  return async (message, recipients, signal) => {
    const mail = {
      from,
      to: recipients.map((address) => ({ name: '', address })),
      // The same at every try, so that whoever gets it twice can tell.
      messageId: `<${message.id}@${domain}>`,
      // RFC 3834: nobody is out of office towards us.
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...renderMail(message, issuer, clock()),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    }
    try {
      await transport.sendMail(mail)
    } catch (error) {
      throw toProblem(error)
    }
  }
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

// The words of a mail: what ends, when, why, and what to do about it. Names are people's and may hold anything.

import type { Message } from './message.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface MailText {
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** How long is left, rounded to what people say. */
export function tellLeft(leftMs: number): string {
  const days = Math.round(leftMs / DAY_MS)
  if (leftMs > 1.5 * DAY_MS) return `${days} days`
  const hours = Math.max(1, Math.round(leftMs / HOUR_MS))
  return hours === 1 ? '1 hour' : hours === 24 ? '1 day' : `${hours} hours`
}

/** `12 December 2026, 09:30 UTC`. */
const tellInstant = (instant: Date): string => {
  const day = instant.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  })
  return `${day}, ${instant.toISOString().slice(11, 16)} UTC`
}

const WHY = {
  expires_at: 'That was agreed when it was made.',
  max_lifetime: 'The expiry policy allows no longer life.',
  idle_timeout: 'The expiry policy ends what is not used for some time. Using it once is enough to keep it.',
} as const satisfies Record<Message['cause'], string>

const WHAT_TO_DO = {
  personal: 'If you still need it, rotate it before then, or make a new one. If you do not, revoke it.',
  organization: 'If it is still needed, rotate it before then, or make a new one. If it is not, revoke it.',
} as const

/** Header fields have one line, and a name that is mostly blanks says nothing in one. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim()

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

export function renderMail(message: Message, issuer: string, now: Date): MailText {
  const { credential, organization, endsAt, cause } = message
  const name = oneLine(credential.name)
  const left = tellLeft(endsAt.getTime() - now.getTime())
  const isPersonal = credential.kind === 'personal'
  const what = isPersonal ? 'personal access token' : 'API key'
  const greeting = message.owner ? `Hello ${oneLine(message.owner.name)},` : 'Hello,'
  const lines = [
    greeting,
    `${isPersonal ? 'your' : 'the'} ${what} "${name}" (${credential.prefix}…) in the organization ${organization} stops ` +
      `working in ${left}: on ${tellInstant(endsAt)}. ${WHY[cause]}`,
    WHAT_TO_DO[credential.kind],
    `Patmint at ${issuer}`,
  ]
  return {
    // Without quotation marks, for which nodemailer would encode all of it.
    subject: `${isPersonal ? 'Your token' : 'API key'} ${name} stops working in ${left}`,
    text: `${lines.join('\n\n')}\n`,
    html: `${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}\n`,
  }
}

// Signatures of Standard Webhooks 1.0: HMAC-SHA256 of id, time and body, one for every secret there is.

import { createHmac } from 'node:crypto'

export interface SignedContent {
  readonly id: string
  readonly at: Date
  readonly body: string
}

/** The headers a receiver verifies. While a secret is replaced both sign, and a receiver knows one of them. */
export function signWebhook(
  { id, at, body }: SignedContent,
  secrets: readonly Buffer[],
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const timestamp = String(Math.floor(at.getTime() / 1000))
  const sign = (secret: Buffer): string =>
    `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map(sign).join(' '),
  }
}

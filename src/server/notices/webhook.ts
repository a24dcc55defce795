// Notices as signed requests (Standard Webhooks 1.0) to a receiver that the platform's operator named: its address is not
// held against anything, and where it redirects to nobody named.

import { type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestSecure } from 'node:https'
import { DeliveryProblem, type Message, type Send } from './message.ts'
import { signWebhook } from './webhook-signature.ts'

export interface WebhookSettings {
  readonly url: string
  readonly secrets: readonly Buffer[]
  readonly timeoutMs: number
  readonly clock: () => Date
}

/** The body, the same at every try. */
export const renderEvent = (message: Message): string =>
  JSON.stringify({
    type: 'credential.expiring',
    timestamp: message.createdAt.toISOString(),
    data: {
      credential: message.credential,
      organization: message.organization,
      owner: message.owner,
      ends_at: message.endsAt.toISOString(),
      cause: message.cause,
      days: message.days,
    },
  })

/** Builds what sends a message to one receiver. 2xx is success, and 410 says that it wants nothing any more. */
export function createWebhook({ url, secrets, timeoutMs, clock }: WebhookSettings): Send {
  return async (message, signal) => {
    const body = renderEvent(message)
    const headers = {
      ...signWebhook({ id: message.id, at: clock(), body }, secrets),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Patmint',
    }
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const response = await post(new URL(url), { headers, body, signal: limit })
    // What it says beside its status is nobody's concern, and may have no end.
    response.destroy()
    judge(response.statusCode ?? 0)
  }
}

function post(
  url: URL,
  { headers, body, signal }: { headers: Record<string, string | number>; body: string; signal: AbortSignal },
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = url.protocol === 'https:' ? requestSecure : requestPlain
  // Nobody's proxy, and no connection that outlives the request.
  request(url, { method: 'POST', agent: false, headers, signal }, resolve).on('error', reject).end(body)
  return promise
}

function judge(status: number): void {
  if (status >= 200 && status < 300) return
  throw new DeliveryProblem(`the receiver answered ${status}`, { isFinal: status === 410 })
}

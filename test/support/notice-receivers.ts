// Where notices go to, as their receivers would have it: an HTTP server that verifies signatures by the library of Standard
// Webhooks, and an SMTP server. Both can hold what they are given, and a notice counts when it was acknowledged.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerSession } from 'smtp-server'
import { Webhook } from 'standardwebhooks'

export interface Credential {
  readonly id: string
  readonly name: string
}

export interface WebhookEvent {
  readonly type: string
  readonly timestamp: string
  readonly data: { readonly credential: Credential; readonly days: number } & Record<string, unknown>
}

export interface WebhookReceiver {
  readonly url: string
  readonly secret: string
  /** What it acknowledged, in order. */
  readonly events: readonly WebhookEvent[]
  /** The `webhook-id` of every request, acknowledged or not. */
  readonly ids: readonly string[]
  /** Answers with this status from now on; null: not at all. */
  readonly answerWith: (status: number | null) => void
  /** Resolves with the next request that is not answered. */
  readonly held: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Listens on `port`, or a free one. */
export async function startWebhookReceiver(secret: string, port = 0): Promise<WebhookReceiver> {
  const webhook = new Webhook(secret)
  const events: WebhookEvent[] = []
  const ids: string[] = []
  let status: number | null = 200
  let tellHeld = (): void => {}
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    ids.push(String(request.headers['webhook-id']))
    if (status === null) return tellHeld()
    const event = webhook.verify(body, request.headers as Record<string, string>) as WebhookEvent
    if (status < 300) events.push(event)
    response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end('x'.repeat(100))
  }).listen(port, '127.0.0.1')
  await once(http, 'listening')
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/hook`,
    secret,
    events,
    ids,
    answerWith: (next) => {
      status = next
    },
    held: () =>
      new Promise((resolve) => {
        tellHeld = resolve
      }),
    close: async () => {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

export interface Mail {
  readonly to: readonly string[]
  /** Whether it came over TLS. */
  readonly isSecure: boolean
  /** As it was sent, with its header. */
  readonly text: string
}

export interface MailServer {
  readonly url: string
  readonly mails: readonly Mail[]
  /** Whether it leaves mails without an answer from now on. */
  readonly hold: (isHolding: boolean) => void
  /** Answers a recipient with this status from now on; undefined: takes mails for them. */
  readonly refuse: (address: string, status: number | undefined) => void
  readonly held: () => Promise<void>
  readonly close: () => Promise<void>
}

/** With `tls` it takes no password before STARTTLS. */
export async function startMailServer(
  password: string,
  tls?: { readonly key: string; readonly cert: string },
): Promise<MailServer> {
  const mails: Mail[] = []
  const refused = new Map<string, number | undefined>()
  let isHolding = false
  let tellHeld = (): void => {}
  const server = new SMTPServer({
    authMethods: ['PLAIN', 'LOGIN'],
    ...(tls ?? { allowInsecureAuth: true, disabledCommands: ['STARTTLS'] }),
    onAuth: (auth, _session, done) =>
      auth.username === 'patmint' && auth.password === password
        ? done(null, { user: 'patmint' })
        : done(new Error('wrong user or password')),
    onRcptTo: ({ address }, _session, done) => {
      const responseCode = refused.get(address)
      done(responseCode ? Object.assign(new Error('not here'), { responseCode }) : null)
    },
    onData: (stream, session: SMTPServerSession, done) => {
      let text = ''
      stream.on('data', (chunk: Buffer) => {
        text += String(chunk)
      })
      stream.on('end', () => {
        if (isHolding) return tellHeld()
        mails.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          isSecure: session.secure,
          text,
        })
        done()
      })
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    url: `smtp://patmint:${password}@127.0.0.1:${port}`,
    mails,
    hold: (next) => {
      isHolding = next
    },
    refuse: (address, status) => {
      refused.set(address, status)
    },
    held: () =>
      new Promise((resolve) => {
        tellHeld = resolve
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

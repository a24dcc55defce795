// Requests to receivers of every kind, over real HTTP.

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterEach, describe, expect, it } from 'vitest'
import { tellReason } from '../../../../src/server/notices/message.ts'
import { createWebhook } from '../../../../src/server/notices/webhook.ts'
import { MESSAGE } from './message-fixture.ts'

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const NEVER = new AbortController().signal

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function listen(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=1`
}

const send = (url: string, { timeoutMs = 5000, signal = NEVER } = {}): Promise<void> =>
  createWebhook({
    url,
    secrets: [Buffer.from(SECRET.slice('whsec_'.length), 'base64')],
    timeoutMs,
    clock: () => new Date(),
  })(MESSAGE, signal)

const failure = (sending: Promise<void>): Promise<{ reason: string; isFinal: boolean }> =>
  sending.then(
    () => expect.unreachable(),
    (error: Error & { isFinal?: boolean }) => ({
      reason: tellReason(error),
      isFinal: error.isFinal ?? false,
    }),
  )

describe('a webhook', () => {
  it('is one signed POST that says what ends, and holds no secret', async () => {
    let seen: unknown
    const url = await listen(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      const event = new Webhook(SECRET).verify(body, request.headers as Record<string, string>)
      const { method, url, headers } = request
      seen = { method, url, type: headers['content-type'], agent: headers['user-agent'], event }
      response.end()
    })
    await send(url)
    expect(seen).toEqual({
      method: 'POST',
      url: '/hook?key=1',
      type: 'application/json',
      agent: 'Patmint',
      event: {
        type: 'credential.expiring',
        timestamp: '2026-03-01T12:00:00.000Z',
        data: {
          credential: { id: '0123456789abcdef', kind: 'personal', name: 'laptop', prefix: 'pat_012345' },
          organization: 'acme',
          owner: { id: '019cb1d5-0000-7000-8000-000000000002', name: 'Jane', email: 'jane@acme.test' },
          ends_at: '2026-03-08T09:30:00.000Z',
          cause: 'max_lifetime',
          days: 7,
        },
      },
    })
  })

  it.each([200, 202, 204, 299])('is taken with %i', async (status) => {
    const url = await listen((_request, response) => void response.writeHead(status).end())
    await expect(send(url)).resolves.toBeUndefined()
  })

  it.each([
    [300, false],
    [400, false],
    [404, false],
    [410, true],
    [429, false],
    [500, false],
    [503, false],
  ])('is not taken with %i, for good: %s', async (status, isFinal) => {
    const url = await listen((_request, response) => void response.writeHead(status).end('secret'))
    expect(await failure(send(url))).toEqual({ reason: `the receiver answered ${status}`, isFinal })
  })

  it('does not follow a redirect', async () => {
    const paths: (string | undefined)[] = []
    const url = await listen((request, response) => {
      paths.push(request.url)
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(await failure(send(url))).toEqual({ reason: 'the receiver answered 307', isFinal: false })
    expect(paths).toEqual(['/hook?key=1'])
  })

  it('waits for an answer so long and no longer', async () => {
    const url = await listen(() => {})
    expect(await failure(send(url, { timeoutMs: 50 }))).toEqual({
      reason: 'it took too long',
      isFinal: false,
    })
    expect(await failure(send(url, { signal: AbortSignal.timeout(50) }))).toEqual({
      reason: 'it took too long',
      isFinal: false,
    })
  })

  it('does not read an answer without end', async () => {
    let isClosed: Promise<unknown> = Promise.resolve()
    const url = await listen((_request, response) => {
      isClosed = once(response, 'close')
      response.writeHead(200)
      const write = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', write)
      }
      write()
    })
    await send(url)
    await isClosed
  })

  it('says by a code of the system why nobody is there', async () => {
    const url = await listen(() => {})
    server?.close()
    expect(await failure(send(url))).toEqual({ reason: 'ECONNREFUSED', isFinal: false })
  })
})

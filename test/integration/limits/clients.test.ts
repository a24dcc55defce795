// Clients that are slow, silent or endless, over raw connections: what the listener puts up with.

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createListener, LISTENER_LIMITS, type ListenerLimits } from '../../../src/server/http/server.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { openConnection } from '../../support/raw-connection.ts'

const ANSWERED = /^HTTP\/1\.1 200 OK\r\n/
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const LONG_MS = 20_000

describe('a listener', () => {
  let server: Server
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  /** Reads every body, and answers with `answer`. All that a test does not bound is far away. */
  async function listen(limits: Partial<ListenerLimits>, answer = 'done'): Promise<string> {
    const far = { headersMs: LONG_MS, requestMs: LONG_MS, keepAliveMs: LONG_MS, silenceMs: LONG_MS }
    server = createListener({ ...LISTENER_LIMITS, ...far, ...limits }, async (request, response) => {
      request.on('error', () => {})
      request.resume()
      request.on('end', () => response.end(answer))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('closes a connection that says nothing', async () => {
    const connection = await openConnection(await listen({ headersMs: 200 }))
    expect(await connection.closed).toMatch(/^(HTTP\/1\.1 408 |$)/)
  })

  it('ends a request whose headers take too long', async () => {
    const connection = await openConnection(await listen({ headersMs: 200 }))
    connection.send('GET / HTTP/1.1\r\nHost: x\r\n')
    expect(await connection.closed).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('ends a request whose body takes too long', async () => {
    const connection = await openConnection(await listen({ headersMs: 200, requestMs: 400 }))
    connection.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx')
    expect(await connection.closed).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('refuses headers that are too long', async () => {
    const connection = await openConnection(await listen({ headerBytes: 1024 }))
    connection.send(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(1024)}\r\n\r\n`)
    expect(await connection.closed).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('keeps an idle connection for its time, and closes it then', async () => {
    const connection = await openConnection(await listen({ keepAliveMs: 1000 }))
    connection.send(GET)
    await sleep(100)
    connection.send(GET)
    const received = await connection.closed
    expect(received.match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(2)
    expect(received).toContain('Keep-Alive: timeout=1\r\n')
  })

  it('drops a client that does not read its answer', async () => {
    const connection = await openConnection(await listen({ silenceMs: 300 }, 'x'.repeat(50_000_000)))
    connection.pause()
    connection.send(GET)
    const count = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)))
    await expect.poll(count, { timeout: 10_000 }).toBe(0)
    connection.close()
  })

  it('takes as many connections as it may, and one more when one has gone', async () => {
    const url = await listen({ connections: 1 })
    const first = await openConnection(url)
    first.send(GET)
    await expect.poll(first.received).toMatch(ANSWERED)
    expect(await (await openConnection(url)).closed).toBe('')
    first.close()
    await expect
      .poll(async () => {
        const next = await openConnection(url)
        next.send(GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
        return next.closed
      })
      .toMatch(ANSWERED)
  })
})

describe('the server', () => {
  let acme: Acme
  beforeAll(async () => {
    acme = await startAcme()
  })
  afterAll(() => acme.stop())

  const FORM = 'application/x-www-form-urlencoded'
  const post = async (path: string, type: string, framing: string, body: string): Promise<string> => {
    const connection = await openConnection(acme.url)
    connection.send(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n${body}`)
    await expect.poll(connection.received).toMatch(/\r\n\r\n.*\}/s)
    connection.close()
    return connection.received()
  }
  const withLength = (path: string, type: string, length: number, body = '') =>
    post(path, type, `Content-Length: ${length}`, body)
  const TOO_LARGE = '{"error":"invalid_request","error_description":"the body is too large"}'

  it('keeps idle connections longer than a load balancer does', async () => {
    const connection = await openConnection(acme.url)
    connection.send('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await expect.poll(connection.received).toContain('Keep-Alive: timeout=75\r\n')
    connection.close()
  })

  it('refuses headers of more than 16 KiB, and takes what is a little less', async () => {
    const askWith = async (bytes: number): Promise<string> => {
      const connection = await openConnection(acme.url)
      connection.send(
        `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: ${'x'.repeat(bytes)}\r\n\r\n`,
      )
      return connection.closed
    }
    expect(await askWith(16_000)).toMatch(ANSWERED)
    expect(await askWith(16_384)).toMatch(/^HTTP\/1\.1 431 /)
  })

  it.each([
    ['/oauth2/token', 57_345],
    ['/oauth2/revoke', 16_385],
  ])('refuses a form for %s of %i bytes before it is sent, as OAuth says it', async (path, length) => {
    const answer = await withLength(path, FORM, length)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer.endsWith(TOO_LARGE)).toBe(true)
  })

  it.each([
    ['/oauth2/token', 57_344],
    ['/oauth2/revoke', 16_384],
  ])('reads a form for %s of %i bytes', async (path, length) => {
    expect(await withLength(path, FORM, length, 'x'.repeat(length))).toMatch(/^HTTP\/1\.1 400 /)
  })

  it('reads no more of a form of unknown length than of any other', async () => {
    const chunk = `${(70_000).toString(16)}\r\n${'x'.repeat(70_000)}\r\n`
    const answer = await post('/oauth2/token', FORM, 'Transfer-Encoding: chunked', chunk)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('"error":"invalid_request"')
  })

  it.each([
    ['/api/v1/exchange/explain', 65_537],
    ['/api/v1/leaks', 131_073],
  ])('refuses JSON for %s of %i bytes before it is sent, as a problem', async (path, length) => {
    const answer = await withLength(path, 'application/json', length)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('"code":"payload_too_large"')
  })
})

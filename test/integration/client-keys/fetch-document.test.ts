// A document from a URL of somebody else's choice, over real sockets.

import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createPlainServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type FetchSettings,
  fetchDocument,
  type ResolveHost,
} from '../../../src/server/client-keys/fetch-document.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128']
const KEYS = '{"keys":[]}'

let servers: { close(done: () => void): unknown; closeAllConnections?: () => void }[] = []
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections?.()
    await new Promise<void>((resolve) => server.close(resolve))
  }
  servers = []
})

const portOf = (server: Pick<Server, 'address'>): number => (server.address() as AddressInfo).port

/** Requests that arrive at a server that answers them so; its port. */
async function serve(answer: RequestListener): Promise<{ port: number; paths: string[] }> {
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(String(request.url))
    answer(request, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: portOf(server), paths }
}

const fetchText = async (url: string, settings: Partial<FetchSettings> = {}): Promise<string> =>
  (await fetchDocument(new URL(url), { allowedCidrs: LOOPBACK, ...settings })).toString()

/** A resolver that gives these addresses, and counts. */
function resolveTo(...addresses: string[]): { resolveHost: ResolveHost; asked: string[] } {
  const asked: string[] = []
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  const resolveHost: ResolveHost = async (hostname) => {
    asked.push(hostname)
    return found
  }
  return { resolveHost, asked }
}

const REFUSED = 'the URL leads to no address that may be connected to'

describe('what may be fetched', () => {
  it('is what stands at an address that is allowed', async () => {
    const { port, paths } = await serve((_request, response) => response.end(KEYS))
    expect(await fetchText(`http://127.0.0.1:${port}/a/jwks?b=c`)).toBe(KEYS)
    expect(await fetchText(`http://localhost:${port}/`, resolveTo('127.0.0.1'))).toBe(KEYS)
    expect(paths).toEqual(['/a/jwks?b=c', '/'])
  })

  it.each([
    'http://127.0.0.1:1/',
    'http://2130706433:1/',
    'http://0x7f.1:1/',
    'http://[::1]:1/',
    'https://127.0.0.1:1/',
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
    'https://[fd00::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://0.0.0.0/',
  ])('is nothing at %s, which nobody allowed', async (url) => {
    await expect(fetchText(url, { allowedCidrs: [] })).rejects.toThrow(REFUSED)
  })

  it.each([
    [['127.0.0.1']],
    [['10.1.2.3', '192.168.0.1']],
    [['::ffff:127.0.0.1', 'fe80::1', 'fd00::1', '::']],
    [['100.64.0.1', '224.0.0.1']],
    [[]],
  ])('is nothing behind a name that means %j', async (addresses) => {
    const { resolveHost, asked } = resolveTo(...addresses)
    await expect(fetchText('https://keys.test/', { allowedCidrs: [], resolveHost })).rejects.toThrow(REFUSED)
    expect(asked).toEqual(['keys.test'])
  })

  it('is judged of the address that is connected to, which is looked up once', async () => {
    const { port } = await serve((_request, response) => response.end(KEYS))
    const meanings = [['127.0.0.1'], ['10.0.0.1']]
    let asked = 0
    const resolveHost: ResolveHost = async () =>
      (meanings[asked++] ?? []).map((address) => ({ address, family: 4 }))
    expect(await fetchText(`http://keys.test:${port}/`, { resolveHost })).toBe(KEYS)
    expect(asked).toBe(1)
  })

  it('is at the permitted one of several addresses', async () => {
    const { port } = await serve((_request, response) => response.end(KEYS))
    const { resolveHost } = resolveTo('10.0.0.1', '127.0.0.1', '192.168.0.1')
    expect(await fetchText(`http://keys.test:${port}/`, { resolveHost })).toBe(KEYS)
  })

  it('comes without TLS from this machine alone', async () => {
    const settings = { allowedCidrs: ['10.0.0.0/8', '0.0.0.0/0'], ...resolveTo('10.0.0.1', '8.8.8.8') }
    await expect(fetchText('http://keys.test/', settings)).rejects.toThrow(REFUSED)
  })

  it('comes over TLS from anywhere else', async () => {
    const { port, paths } = await serve((_request, response) => response.end(KEYS))
    await expect(fetchText(`https://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'EPROTO' })
    expect(paths).toEqual([])
  })
})

describe('an answer', () => {
  it.each([301, 302, 303, 307, 308])('that redirects with %i is not followed', async (status) => {
    const { port, paths } = await serve((request, response) => {
      if (request.url === '/target') response.end(KEYS)
      else response.writeHead(status, { Location: '/target' }).end()
    })
    await expect(fetchText(`http://127.0.0.1:${port}/jwks`)).rejects.toThrow(`the answer is ${status}`)
    expect(paths).toEqual(['/jwks'])
  })

  it.each([201, 204, 404, 500])('with the status %i counts for nothing', async (status) => {
    const { port } = await serve((_request, response) => response.writeHead(status).end())
    await expect(fetchText(`http://127.0.0.1:${port}/`)).rejects.toThrow(`the answer is ${status}`)
  })

  it('has 64 KiB at most', async () => {
    const { port } = await serve(({ url }, response) => response.end('x'.repeat(Number(url?.slice(1)))))
    expect(await fetchText(`http://127.0.0.1:${port}/65536`)).toHaveLength(65_536)
    await expect(fetchText(`http://127.0.0.1:${port}/65537`)).rejects.toThrow('more than 65536 bytes')
  })

  it('that never ends is left when it is too long', async () => {
    const { port } = await serve((_request, response) => {
      const more = (): boolean => response.write('x'.repeat(10_000), (error) => error || more())
      more()
    })
    await expect(fetchText(`http://127.0.0.1:${port}/`)).rejects.toThrow('more than 65536 bytes')
  })

  it.each<[string, RequestListener]>([
    ['that does not come', () => {}],
    ['that stops in its middle', (_request, response) => response.write('{"keys":')],
  ])('%s is waited for in all as long as the limit says', async (_name, answer) => {
    const { port } = await serve(answer)
    await expect(fetchText(`http://127.0.0.1:${port}/`, { timeLimitMs: 200 })).rejects.toThrow()
  })

  it('is not waited for when the name is not resolved in time', async () => {
    const resolveHost: ResolveHost = () => new Promise(() => {})
    await expect(fetchText('https://keys.test/', { resolveHost, timeLimitMs: 100 })).rejects.toMatchObject({
      name: 'AbortError',
    })
  })

  it('is not HTTP: refused', async () => {
    const server = createPlainServer((socket) => socket.resume().end('SSH-2.0-x\r\n'))
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await expect(fetchText(`http://127.0.0.1:${portOf(server)}/`)).rejects.toThrow('Parse Error')
  })
})

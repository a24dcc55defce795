import type { RequestListener } from 'node:http'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fetchDocument, type VerifierFetch } from '../../../src/verify/fetch-document.ts'
import { serve } from './issuer-fixture.ts'

const ACCEPT = 'text/plain'

async function fetchFrom(listener: RequestListener, timeoutMs = 5_000) {
  await using server = await serve(listener)
  const request = { url: `${server.url}/document`, accept: ACCEPT, maxBytes: 1000 }
  return await fetchDocument(request, { fetch, timeoutMs })
}

describe('fetchDocument', () => {
  it('answers what stands at the URL, as it was asked for', async () => {
    const asked: unknown[] = []
    const fetched = await fetchFrom(({ method, url, headers }, response) => {
      asked.push([method, url, headers.accept])
      response.writeHead(200, { 'cache-control': 'max-age=60' }).end('text')
    })
    expect(asked).toEqual([['GET', '/document', ACCEPT]])
    expect([fetched.text, fetched.headers.get('cache-control')]).toEqual(['text', 'max-age=60'])
  })

  it.each([404, 500, 204])('fails on status %d', async (status) => {
    const failed = fetchFrom((_, response) => response.writeHead(status).end())
    await expect(failed).rejects.toThrow(new RegExp(`/document answered ${status}$`))
  })

  it('does not follow a redirect', async () => {
    const asked: (string | undefined)[] = []
    const failed = fetchFrom((request, response) => {
      asked.push(request.url)
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    await expect(failed).rejects.toThrow(/answered 302$/)
    expect(asked).toEqual(['/document'])
  })

  it('does not trust a fetch that followed a redirect all the same', async () => {
    const followed = Object.defineProperty(new Response('text'), 'redirected', { value: true })
    const request = { url: 'https://a', accept: ACCEPT, maxBytes: 10 }
    await expect(fetchDocument(request, { fetch: async () => followed, timeoutMs: 5_000 })).rejects.toThrow(
      new Error('https://a answered after a redirect'),
    )
  })

  it('reads as much as it is told and not a byte more', async () => {
    const send = (length: number) => fetchFrom((_, response) => response.end('x'.repeat(length)))
    expect((await send(1000)).text).toHaveLength(1000)
    await expect(send(1001)).rejects.toThrow(new RangeError('there is more than 1000 bytes of it'))
  })

  it('stops reading a body that never ends', async () => {
    const failed = fetchFrom((_, response) => {
      const write = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(64 * 1024, ' '), () => setImmediate(write))
      }
      write()
    })
    await expect(failed).rejects.toThrow(RangeError)
  })

  it('gives up on an issuer that does not answer', async () => {
    await expect(fetchFrom(() => {}, 50)).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('gives up on an issuer that stops in the middle of its answer', async () => {
    await expect(fetchFrom((_, response) => response.write('half'), 100)).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })

  it('gives up on an issuer that answers a byte now and then', async () => {
    const failed = fetchFrom((_, response) => {
      const writing = setInterval(() => response.write('x'), 10)
      response.on('close', () => clearInterval(writing))
    }, 100)
    await expect(failed).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('gives up on a fetch that honours no signal', async () => {
    const request = { url: 'https://a', accept: ACCEPT, maxBytes: 10 }
    const failed = fetchDocument(request, { fetch: () => new Promise(() => {}), timeoutMs: 50 })
    await expect(failed).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('ends when it is told to', async () => {
    const ending = new AbortController()
    const request = { url: 'https://a', accept: ACCEPT, maxBytes: 10 }
    const transport = {
      fetch: () => new Promise<Response>(() => {}),
      timeoutMs: 5_000,
      signal: ending.signal,
    }
    const failed = fetchDocument(request, transport)
    ending.abort()
    await expect(failed).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('leaves no timer behind once it was answered', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const request = { url: 'https://a', accept: ACCEPT, maxBytes: 10 }
    const signals: (AbortSignal | null | undefined)[] = []
    const answer: VerifierFetch = async (_url, { signal }) => {
      signals.push(signal)
      return new Response('text')
    }
    const fetched = fetchDocument(request, { fetch: answer, timeoutMs: 5_000 })
    expect(vi.getTimerCount()).toBe(1)
    await fetched
    vi.advanceTimersByTime(5_000)
    expect(signals.map((signal) => signal?.aborted)).toEqual([false])
  })
})

import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { fetchJwks } from '../../../src/verify/fetch-jwks.ts'
import { JWKS, serve } from './issuer-fixture.ts'

async function fetchFrom(listener: RequestListener, timeoutMs = 5_000) {
  await using server = await serve(listener)
  return await fetchJwks({ jwksUri: `${server.url}/jwks.json`, fetch }, timeoutMs)
}

describe('fetchJwks', () => {
  it('answers the keys of the issuer', async () => {
    expect(await fetchFrom((_, response) => response.end(JSON.stringify(JWKS)))).toEqual(JWKS)
  })

  it('leaves out keys without an id, or not bound to one algorithm', async () => {
    const [first, ...others] = JWKS.keys
    const keys = [
      first,
      ...others.map(({ alg: _, ...key }) => key),
      { ...first, kid: undefined },
      { kid: 'x', alg: 'y' },
    ]
    expect(await fetchFrom((_, response) => response.end(JSON.stringify({ keys })))).toEqual({
      keys: [first],
    })
  })

  it.each([404, 500, 204])('fails on status %d', async (status) => {
    const failed = fetchFrom((_, response) => response.writeHead(status).end())
    await expect(failed).rejects.toThrow(new Error(`the JWKS endpoint answered ${status}`))
  })

  it('does not follow a redirect', async () => {
    const asked: (string | undefined)[] = []
    const failed = fetchFrom((request, response) => {
      asked.push(request.url)
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    await expect(failed).rejects.toThrow(new Error('the JWKS endpoint answered 302'))
    expect(asked).toEqual(['/jwks.json'])
  })

  it('does not trust a fetch that followed a redirect all the same', async () => {
    const followed = Object.defineProperty(Response.json(JWKS), 'redirected', { value: true })
    await expect(fetchJwks({ jwksUri: 'https://a', fetch: async () => followed }, 5_000)).rejects.toThrow(
      new Error('the JWKS endpoint answered after a redirect'),
    )
  })

  it.each(['', 'html', '[]', 'null', '{}', '{"keys":{}}', '{"keys":[7]}'])(
    'fails on the body %j',
    async (body) => {
      await expect(fetchFrom((_, response) => response.end(body))).rejects.toThrow()
    },
  )

  it('reads 256 KiB and not a byte more', async () => {
    const bodyOf = (length: number) => `{"keys":[]}${' '.repeat(length - 11)}`
    const send = (length: number) => fetchFrom((_, response) => response.end(bodyOf(length)))
    expect(await send(262_144)).toEqual({ keys: [] })
    await expect(send(262_145)).rejects.toThrow(new RangeError('the response is longer than 262144 bytes'))
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
    await expect(fetchFrom((_, response) => response.write('{"keys":'), 100)).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })
})

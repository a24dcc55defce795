import { describe, expect, it } from 'vitest'
import { fetchJwks } from '../../../src/verify/fetch-jwks.ts'
import { JWKS } from './issuer-fixture.ts'

const fetchWith = (body: string, headers: Record<string, string> = {}) => {
  const fetch = async () => new Response(body, { headers })
  return fetchJwks({ jwksUri: 'https://a/jwks.json', fetch, timeoutMs: 5_000 })
}

const fetchFrom = async (body: string) => (await fetchWith(body)).jwks

describe('fetchJwks', () => {
  it('answers the keys of the issuer', async () => {
    expect(await fetchFrom(JSON.stringify(JWKS))).toEqual(JWKS)
  })

  it('leaves out keys without an id, or not bound to one algorithm', async () => {
    const [first, ...others] = JWKS.keys
    const keys = [
      first,
      ...others.map(({ alg: _, ...key }) => key),
      { ...first, kid: undefined },
      { kid: 'x', alg: 'y' },
    ]
    expect(await fetchFrom(JSON.stringify({ keys }))).toEqual({ keys: [first] })
  })

  it.each(['', 'html', '[]', 'null', '{}', '{"keys":{}}', '{"keys":[7]}'])(
    'fails on the body %j',
    async (body) => {
      await expect(fetchFrom(body)).rejects.toThrow()
    },
  )

  it.each([
    [undefined, 600],
    ['public, max-age=300', 300],
    ['max-age=60', 60],
    ['max-age=59', 60],
    ['max-age=0, must-revalidate', 60],
    ['MAX-AGE=601', 600],
    ['s-maxage=120', 600],
    ['max-age=soon', 600],
  ])('with Cache-Control of %j may be kept for %d seconds', async (cacheControl, seconds) => {
    const fetched = await fetchWith('{"keys":[]}', cacheControl ? { 'cache-control': cacheControl } : {})
    expect(fetched.maxAgeSeconds).toBe(seconds)
  })

  it('reads 256 KiB and not a byte more', async () => {
    const bodyOf = (length: number) => `{"keys":[]}${' '.repeat(length - 11)}`
    expect(await fetchFrom(bodyOf(262_144))).toEqual({ keys: [] })
    await expect(fetchFrom(bodyOf(262_145))).rejects.toThrow(
      new RangeError('there is more than 262144 bytes of it'),
    )
  })
})

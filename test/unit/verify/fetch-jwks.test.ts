import { describe, expect, it } from 'vitest'
import { fetchJwks } from '../../../src/verify/fetch-jwks.ts'
import { JWKS } from './issuer-fixture.ts'

const fetchFrom = (body: string) =>
  fetchJwks({ jwksUri: 'https://a/jwks.json', fetch: async () => new Response(body), timeoutMs: 5_000 })

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

  it('reads 256 KiB and not a byte more', async () => {
    const bodyOf = (length: number) => `{"keys":[]}${' '.repeat(length - 11)}`
    expect(await fetchFrom(bodyOf(262_144))).toEqual({ keys: [] })
    await expect(fetchFrom(bodyOf(262_145))).rejects.toThrow(
      new RangeError('the response is longer than 262144 bytes'),
    )
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { KeysUnavailable, PublishedKeys } from '../../../../src/server/client-keys/published-keys.ts'
import type { KeySet } from '../../../../src/server/client-keys/read-key-set.ts'

const URL_A = 'https://a.test/jwks'
const SECOND = 1000
const MINUTE = 60 * SECOND
const setOf = (...ids: string[]): KeySet => ({ keys: ids.map((kid) => ({ kty: 'EC', kid })) })

let nowMs: number
/** What the host publishes; an error when it is away. */
let published: KeySet | Error
let fetched: string[]
let failures: unknown[]
let keys: PublishedKeys

beforeEach(() => {
  nowMs = 0
  published = setOf('a')
  fetched = []
  failures = []
  keys = new PublishedKeys({
    fetchKeySet: async (url) => {
      fetched.push(url)
      // Asked first and answered later, as by a network.
      await Promise.resolve()
      if (published instanceof Error) throw published
      return published
    },
    nowMs: () => nowMs,
    onFailure: (url, error) => failures.push([url, error]),
  })
})

const find = (keyId?: string) => keys.find(URL_A, keyId)

describe('keys that are published', () => {
  it('are fetched when they are first needed, once for all who ask together', async () => {
    const found = await Promise.all([find('a'), find('a'), find()])
    expect(found).toEqual([setOf('a'), setOf('a'), setOf('a')])
    expect(fetched).toEqual([URL_A])
  })

  it('are kept apart by URL', async () => {
    await find()
    await keys.find('https://b.test/jwks', undefined)
    expect(fetched).toEqual([URL_A, 'https://b.test/jwks'])
  })

  it('are kept for five minutes: a key that is taken down stops working then', async () => {
    await find('a')
    published = setOf('b')
    nowMs = 5 * MINUTE - 1
    expect(await find('a')).toEqual(setOf('a'))
    nowMs = 5 * MINUTE
    expect(await find('a')).toEqual(setOf('b'))
    expect(fetched).toHaveLength(2)
  })
})

describe('a key nobody has seen', () => {
  it('is looked for once, and again only after the cool-down', async () => {
    await find('a')
    published = setOf('a', 'b')
    nowMs = 30 * SECOND - 1
    expect(await find('b')).toEqual(setOf('a'))
    nowMs = 30 * SECOND
    expect(await find('b')).toEqual(setOf('a', 'b'))
    for (let made = 0; made < 100; made++) await find(`made-up-${made}`)
    expect(fetched).toHaveLength(2)
  })

  it('is not told from one that exists while the host is away', async () => {
    await find('a')
    published = new Error('away')
    nowMs = MINUTE
    await expect(find('b')).rejects.toThrow(KeysUnavailable)
    expect(await find('a')).toEqual(setOf('a'))
  })
})

describe('a host that is away', () => {
  const away = new Error('away')

  it('before anything is known leaves nothing to say, and is not asked again at once', async () => {
    published = away
    await expect(find('a')).rejects.toMatchObject({ cause: away })
    nowMs = 10 * SECOND - 1
    published = setOf('a')
    await expect(find('a')).rejects.toThrow(KeysUnavailable)
    nowMs = 10 * SECOND
    expect(await find('a')).toEqual(setOf('a'))
    expect(fetched).toHaveLength(2)
    expect(failures).toEqual([[URL_A, away]])
  })

  it('leaves the last keys it published in force for an hour, and no longer', async () => {
    await find('a')
    published = away
    nowMs = 60 * MINUTE - 1
    expect(await find('a')).toEqual(setOf('a'))
    nowMs = 60 * MINUTE
    await expect(find('a')).rejects.toThrow(KeysUnavailable)
  })

  it('is waited for by the first to notice alone', async () => {
    await find('a')
    published = away
    nowMs = 5 * MINUTE
    await find('a')
    nowMs = 6 * MINUTE
    published = setOf('b')
    expect(await find('a')).toEqual(setOf('a'))
    await expect.poll(() => find('a')).toEqual(setOf('b'))
  })
})

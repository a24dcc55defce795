import { describe, expect, it } from 'vitest'
import type { VerifierFetch } from '../../../src/verify/fetch-document.ts'
import { RemoteKeys } from '../../../src/verify/remote-keys.ts'
import { scheduleTimer } from '../../../src/verify/schedule.ts'
import { catchRefusal, createSigningKey, JWKS, NOW, serve, signingKey } from './issuer-fixture.ts'

const KNOWN = { alg: 'ES256', kid: 'key-ES256' } as const
const SETTINGS = {
  jwksUri: 'https://a/jwks',
  jwksMaxStaleSeconds: 86_400,
  timeoutMs: 5_000,
  schedule: scheduleTimer,
}
const UNKNOWN = { alg: 'ES256', kid: 'key-nobody-has-seen' } as const

/** Keys with a clock that is turned by hand and an issuer that answers whatever `answer` holds. */
function setUp() {
  const state = {
    nowMs: NOW.getTime(),
    calls: 0,
    answer: async (): Promise<Response> => Response.json(JWKS),
  }
  const fetch: VerifierFetch = () => {
    state.calls += 1
    return state.answer()
  }
  const keys = new RemoteKeys({ ...SETTINGS, fetch, now: () => new Date(state.nowMs) })
  return {
    state,
    keys,
    codeOf: async (header: typeof KNOWN | typeof UNKNOWN) =>
      (await catchRefusal(() => keys.find(header))).code,
  }
}

const away = async (): Promise<Response> => {
  throw new TypeError('fetch failed')
}

describe('finding a key', () => {
  it('fetches once for any number of callers at once', async () => {
    const { state, keys } = setUp()
    const found = await Promise.all(Array.from({ length: 50 }, () => keys.find(KNOWN)))
    expect(new Set(found).size).toBe(1)
    expect(state.calls).toBe(1)
  })

  it('asks again five seconds before ten minutes are over and not a moment sooner, and waits for nobody', async () => {
    const { state, keys } = setUp()
    const key = await keys.find(KNOWN)
    state.nowMs += 594_999
    expect(keys.peek(KNOWN, state.nowMs)).toBe(key)
    expect(state.calls).toBe(1)
    state.nowMs += 1
    expect(keys.peek(KNOWN, state.nowMs)).toBe(key)
    expect(state.calls).toBe(2)
  })

  it('waits for the issuer once ten minutes are over', async () => {
    const { state, keys } = setUp()
    const key = await keys.find(KNOWN)
    state.nowMs += 600_000
    expect(keys.peek(KNOWN, state.nowMs)).toBeUndefined()
    expect(await keys.find(KNOWN)).toBe(key)
  })

  it('asks as often as the issuer says', async () => {
    const { state, keys } = setUp()
    state.answer = async () => Response.json(JWKS, { headers: { 'cache-control': 'public, max-age=300' } })
    await keys.find(KNOWN)
    state.nowMs += 294_999
    keys.peek(KNOWN, state.nowMs)
    expect(state.calls).toBe(1)
    state.nowMs += 1
    keys.peek(KNOWN, state.nowMs)
    expect(state.calls).toBe(2)
  })

  it('takes another key of the same name for another key', async () => {
    const { state, keys } = setUp()
    const before = await keys.find(KNOWN)
    const { publicJwk } = await createSigningKey('ES256', KNOWN.kid)
    state.answer = async () => Response.json({ keys: [publicJwk] })
    state.nowMs += 600_000
    expect(await keys.find(KNOWN)).not.toBe(before)
  })

  it('forgets a key the issuer withdrew, at the next refresh', async () => {
    const { state, keys, codeOf } = setUp()
    await keys.find(KNOWN)
    state.answer = async () => Response.json({ keys: [] })
    state.nowMs += 600_000
    expect(await codeOf(KNOWN)).toBe('key_unknown')
  })

  it('asks again when the clock was set back', async () => {
    const { state, keys } = setUp()
    await keys.find(KNOWN)
    state.nowMs -= 3_600_000
    await keys.find(KNOWN)
    expect(state.calls).toBe(2)
  })
})

describe('a key nobody has seen', () => {
  it('is unknown, and asked for once per half minute however often it is named', async () => {
    const { state, codeOf } = setUp()
    expect(await codeOf(UNKNOWN)).toBe('key_unknown')
    state.nowMs += 29_999
    expect(await Promise.all(Array.from({ length: 20 }, () => codeOf(UNKNOWN)))).toEqual(
      Array(20).fill('keys_unavailable'),
    )
    expect(state.calls).toBe(1)
    state.nowMs += 1
    await Promise.all(Array.from({ length: 20 }, () => codeOf(UNKNOWN)))
    expect(state.calls).toBe(2)
  })

  it('is said to be unknown for five seconds after a look, and not to be told for the rest of the half minute', async () => {
    const { state, codeOf } = setUp()
    await codeOf(UNKNOWN)
    state.nowMs += 4_999
    expect(await codeOf(UNKNOWN)).toBe('key_unknown')
    state.nowMs += 1
    expect(await codeOf(UNKNOWN)).toBe('keys_unavailable')
    expect(state.calls).toBe(1)
  })

  it('that is named by what the issuer signed is looked for after five seconds, whatever others named before', async () => {
    const { state, keys } = setUp()
    await keys.find(KNOWN)
    const { publicJwk } = await createSigningKey('ES256', UNKNOWN.kid)
    state.answer = async () => Response.json({ keys: [publicJwk] })
    state.nowMs += 4_999
    await expect(keys.findForIssued(UNKNOWN)).rejects.toMatchObject({ code: 'key_unknown' })
    state.nowMs += 1
    await expect(keys.findForIssued(UNKNOWN)).resolves.toMatchObject({ type: 'public' })
    await expect(keys.find(UNKNOWN)).resolves.toMatchObject({ type: 'public' })
    expect(state.calls).toBe(2)
  })

  it('is found once the issuer publishes it', async () => {
    const { state, keys } = setUp()
    await keys.find(KNOWN)
    const { publicJwk } = await createSigningKey('ES256', UNKNOWN.kid)
    state.answer = async () => Response.json({ keys: [...JWKS.keys, publicJwk] })
    state.nowMs += 30_000
    await expect(keys.find(UNKNOWN)).resolves.toMatchObject({ type: 'public' })
  })

  it('cannot be told from a new one while the issuer is away', async () => {
    const { state, keys, codeOf } = setUp()
    await keys.find(KNOWN)
    state.answer = away
    state.nowMs += 30_000
    expect(await codeOf(UNKNOWN)).toBe('keys_unavailable')
    await keys.find(KNOWN)
  })

  it('is not a key of the right name and another algorithm', async () => {
    const { keys } = setUp()
    const error = await catchRefusal(() => keys.find({ alg: 'PS256', kid: 'key-RS256' }))
    expect([error.code, error.status]).toEqual(['key_unknown', 401])
  })
})

describe('an issuer that is away', () => {
  it('keeps its known keys in use for a day and not a moment longer, and then it is a 503', async () => {
    const { state, keys, codeOf } = setUp()
    await keys.find(KNOWN)
    state.answer = away
    state.nowMs += 86_399_999
    await keys.find(KNOWN)
    state.nowMs += 1
    expect(await codeOf(KNOWN)).toBe('keys_unavailable')
    state.answer = async () => Response.json(JWKS)
    state.nowMs += 5_000
    await keys.find(KNOWN)
  })

  it('takes no key away that is known already', async () => {
    const { state, keys } = setUp()
    const before = await keys.find(KNOWN)
    state.answer = away
    state.nowMs += 600_000
    expect(await keys.find(KNOWN)).toBe(before)
    expect(state.calls).toBe(2)
  })

  it('is asked again after five seconds, not once per token', async () => {
    const { state, keys, codeOf } = setUp()
    state.answer = away
    expect(await codeOf(KNOWN)).toBe('keys_unavailable')
    state.answer = async () => Response.json(JWKS)
    state.nowMs += 4_999
    expect(await codeOf(KNOWN)).toBe('keys_unavailable')
    expect(state.calls).toBe(1)
    state.nowMs += 1
    await keys.find(KNOWN)
    expect(state.calls).toBe(2)
  })

  it('is forgiven once it answers: what it does not publish is unknown again', async () => {
    const { state, codeOf } = setUp()
    state.answer = away
    expect(await codeOf(UNKNOWN)).toBe('keys_unavailable')
    state.answer = async () => Response.json(JWKS)
    state.nowMs += 5_000
    expect(await codeOf(UNKNOWN)).toBe('key_unknown')
    state.nowMs += 4_999
    expect(await codeOf(UNKNOWN)).toBe('key_unknown')
    expect(state.calls).toBe(2)
  })

  it('keeps nobody waiting after the first who noticed', async () => {
    const { state, keys } = setUp()
    await keys.find(KNOWN)
    state.answer = away
    state.nowMs += 600_000
    await keys.find(KNOWN)
    state.answer = () => new Promise(() => {})
    state.nowMs += 5_000
    await keys.find(KNOWN)
    expect(state.calls).toBe(3)
  })

  it.each([
    ['404', async () => new Response(null, { status: 404 })],
    ['500', async () => new Response(null, { status: 500 })],
    [
      'a redirect',
      async () => new Response(null, { status: 302, headers: { location: 'https://evil.example' } }),
    ],
    ['a page', async () => new Response('<html>')],
    ['no key set', async () => Response.json({ keys: 'none' })],
    ['far too much', async () => new Response(' '.repeat(300_000))],
    ['nothing', away],
  ])('is a 503 when it answers %s', async (_name, answer) => {
    const { state, keys } = setUp()
    state.answer = answer
    const error = await catchRefusal(() => keys.find(KNOWN))
    expect([error.code, error.status, error.wwwAuthenticate, error.message]).toEqual([
      'keys_unavailable',
      503,
      undefined,
      'The keys of the issuer are not available',
    ])
    expect(error.cause).toBeInstanceOf(Error)
  })

  it('is a 503 when it takes too long', async () => {
    await using server = await serve(() => {})
    const keys = new RemoteKeys({ ...SETTINGS, jwksUri: server.url, fetch, now: () => NOW, timeoutMs: 50 })
    const error = await catchRefusal(() => keys.find(KNOWN))
    expect([error.code, error.status]).toEqual(['keys_unavailable', 503])
    expect(error.cause).toMatchObject({ name: 'TimeoutError' })
  })
})

describe('a key set with something wrong in it', () => {
  const jwk = signingKey('ES256').publicJwk
  it.each([
    ['two keys of one name', [jwk, { ...jwk }]],
    ['a point off the curve', [{ ...jwk, y: jwk.x }]],
  ])('is a 503 for a token that needs %s', async (_name, published) => {
    const { state, keys } = setUp()
    state.answer = async () => Response.json({ keys: published })
    const error = await catchRefusal(() => keys.find(KNOWN))
    expect([error.code, error.status, error.message]).toEqual([
      'keys_unavailable',
      503,
      'The key of the issuer is not usable',
    ])
  })

  it('still serves the other keys', async () => {
    const { state, keys } = setUp()
    state.answer = async () =>
      Response.json({
        keys: [{ ...jwk, kid: 'broken', y: jwk.x }, { kty: 'new', kid: 'new', alg: 'new' }, ...JWKS.keys],
      })
    await expect(keys.find(KNOWN)).resolves.toMatchObject({ type: 'public' })
  })

  it('recovers when the issuer repairs it', async () => {
    const { state, keys, codeOf } = setUp()
    state.answer = async () => Response.json({ keys: [{ ...jwk, y: jwk.x }] })
    expect(await codeOf(KNOWN)).toBe('keys_unavailable')
    state.answer = async () => Response.json(JWKS)
    state.nowMs += 600_000
    await expect(keys.find(KNOWN)).resolves.toMatchObject({ type: 'public' })
  })

  it('never yields a key that is for encryption', async () => {
    const { state, codeOf } = setUp()
    state.answer = async () => Response.json({ keys: [{ ...jwk, use: 'enc' }] })
    expect(await codeOf(KNOWN)).toBe('key_unknown')
  })
})

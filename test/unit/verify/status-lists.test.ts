import { describe, expect, it, vi } from 'vitest'
import type { VerifierFetch } from '../../../src/verify/fetch-document.ts'
import { createVerifier } from '../../../src/verify/index.ts'
import type { VerifierOptions } from '../../../src/verify/options.ts'
import {
  AUDIENCE,
  CLAIMS,
  catchRefusal,
  createSigningKey,
  ISSUER,
  JWKS,
  LIST_URI,
  LISTS_PATH,
  NOW,
  NOW_SECONDS,
  type SignedListOptions,
  type Statuses,
  signStatusList,
  signToken,
} from './issuer-fixture.ts'

const INDEX = CLAIMS.status.status_list.idx
const FORGER = await createSigningKey('ES256', 'key-ES256')
const STRANGER = await createSigningKey('ES256', 'other')
const TOKEN = await signToken({ ...CLAIMS, exp: NOW_SECONDS + 86_400 })

/** A verifier with a clock that is turned by hand, of an issuer whose list says what `state` says. */
function setUp(options: Partial<VerifierOptions> = {}) {
  const state = {
    nowMs: NOW.getTime(),
    jwks: JWKS as unknown,
    statuses: [] as Statuses,
    signing: {} as SignedListOptions,
    isAway: false,
    isHanging: false,
    answer: undefined as (() => Promise<Response>) | undefined,
    requests: [] as string[],
  }
  const fetch: VerifierFetch = async (url) => {
    state.requests.push(url)
    if (state.isHanging) return new Promise(() => {})
    if (!url.includes(LISTS_PATH)) return Response.json(state.jwks)
    if (state.isAway) throw new TypeError('fetch failed')
    if (state.answer) return state.answer()
    const iat = Math.floor(state.nowMs / 1000)
    const { claims, ...signing } = state.signing
    const usual = { iat, exp: iat + 86_400, ...claims }
    return new Response(await signStatusList(state.statuses, { claims: usual, ...signing }))
  }
  const now = () => new Date(state.nowMs)
  const verifier = createVerifier({ issuer: ISSUER, audience: AUDIENCE, fetch, now, ...options })
  return {
    state,
    verifier,
    verify: (token = TOKEN) => verifier.verify(token),
    refusalOf: (token = TOKEN) => catchRefusal(() => verifier.verify(token), token),
    countLists: () => state.requests.filter((url) => url.includes(LISTS_PATH)).length,
  }
}

const withStatus = (status: unknown) => signToken({ ...CLAIMS, status })

describe('a token whose credential', () => {
  it.each([
    [0, undefined, undefined],
    [1, 'token_revoked', 'The credential behind the token was revoked'],
    [2, 'token_suspended', 'The credential behind the token is suspended'],
    [3, 'token_revoked', 'The credential behind the token was revoked'],
  ])('has status %d in the list', async (status, code, message) => {
    const { state, verify, refusalOf } = setUp()
    state.statuses = [[INDEX, status]]
    if (code === undefined) return expect(await verify()).toMatchObject({ sub: CLAIMS.sub })
    const error = await refusalOf()
    expect([error.code, error.status, error.message]).toEqual([code, 401, message])
  })

  it('is another one than the revoked is accepted', async () => {
    const { state, verify } = setUp()
    state.statuses = [
      [INDEX - 1, 1],
      [INDEX + 1, 2],
    ]
    await verify()
  })

  it('was revoked after it was verified is refused once the ttl of the list is over', async () => {
    const { state, verify, refusalOf } = setUp()
    await verify()
    state.statuses = [[INDEX, 1]]
    state.nowMs += 24_999
    await verify()
    expect(state.requests).toHaveLength(2)
    state.nowMs += 5_001
    expect((await refusalOf()).code).toBe('token_revoked')
  })

  it('is suspended no more is accepted again', async () => {
    const { state, verify, refusalOf } = setUp()
    state.statuses = [[INDEX, 2]]
    expect((await refusalOf()).code).toBe('token_suspended')
    state.statuses = []
    state.nowMs += 30_000
    await verify()
  })

  it('is revoked is accepted with the check switched off, and nothing is fetched for it', async () => {
    const { state, verify } = setUp({ statusList: null })
    state.statuses = [[INDEX, 1]]
    await verify()
    expect(state.requests).toEqual([`${ISSUER}/.well-known/jwks.json`])
  })
})

describe('the reference of a token', () => {
  it('has to be there', async () => {
    const { status: _, ...claims } = CLAIMS
    const error = await setUp().refusalOf(await signToken(claims))
    expect([error.code, error.message]).toEqual(['claim_missing', 'The token has no status claim'])
  })

  it.each([
    'https://evil.example.com/oauth2/status-lists/0',
    `${ISSUER}.evil.example.com/oauth2/status-lists/0`,
    `${ISSUER}/oauth2/status-lists`,
    `${ISSUER}/oauth2/status-lists/`,
    `${ISSUER}/oauth2/status-lists/0/`,
    `${ISSUER}/oauth2/status-lists/00`,
    `${ISSUER}/oauth2/status-lists/-1`,
    `${ISSUER}/oauth2/status-lists/1000000000`,
    `${ISSUER}/oauth2/status-lists/0?time=1`,
    `${ISSUER}/oauth2/status-lists/0#1`,
    `${ISSUER}/oauth2/status-lists/../../api/v1/me`,
    `${ISSUER}/oauth2/status-lists/%2e%2e`,
    `${ISSUER}/oauth2/status-lists-of-others/0`,
    `${ISSUER}/OAUTH2/status-lists/0`,
    `${ISSUER.toUpperCase()}/oauth2/status-lists/0`,
    'http://169.254.169.254/latest/meta-data',
    '/oauth2/status-lists/0',
  ])('to %s is refused and not fetched', async (uri) => {
    const { state, refusalOf } = setUp()
    const error = await refusalOf(await withStatus({ status_list: { idx: 0, uri } }))
    expect([error.code, error.status]).toEqual(['claim_invalid', 401])
    expect(state.requests).toEqual([`${ISSUER}/.well-known/jwks.json`])
  })

  it('may be the last of its list, and no further', async () => {
    const { verify, refusalOf } = setUp()
    await verify(await withStatus({ status_list: { idx: 63, uri: LIST_URI } }))
    for (const idx of [64, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const error = await refusalOf(await withStatus({ status_list: { idx, uri: LIST_URI } }))
      expect([error.code, error.status]).toEqual(['claim_invalid', 401])
    }
  })

  it('is fetched where the options say', async () => {
    const { state, verify } = setUp({ statusList: { url: 'https://inside.example.com/oauth2/status-lists' } })
    state.answer = async () => new Response(await signStatusList())
    await verify()
    expect(state.requests.at(-1)).toBe('https://inside.example.com/oauth2/status-lists/0')
  })

  it('of a forged token is never followed', async () => {
    const { state, refusalOf } = setUp()
    expect((await refusalOf(await signToken(CLAIMS, {}, FORGER))).code).toBe('signature_invalid')
    expect(state.requests).toEqual([`${ISSUER}/.well-known/jwks.json`])
  })

  it('leads to at most 64 lists that are remembered', async () => {
    const { state, verify, countLists } = setUp()
    const verifyIn = async (list: number) => {
      const uri = `${ISSUER}${LISTS_PATH}/${list}`
      state.signing = { claims: { sub: uri } }
      await verify(await withStatus({ status_list: { idx: 0, uri } }))
    }
    for (let list = 0; list < 65; list += 1) await verifyIn(list)
    await verifyIn(64)
    expect(countLists()).toBe(65)
    await verifyIn(0)
    expect(countLists()).toBe(66)
  })
})

describe('a list', () => {
  it('that is forgotten while it is fetched still answers who waits for it', async () => {
    const uris = Array.from({ length: 65 }, (_, list) => `${ISSUER}${LISTS_PATH}/${list}`)
    const asked = new Set<string>()
    const { promise: allAsked, resolve } = Promise.withResolvers<void>()
    const fetch: VerifierFetch = async (uri) => {
      if (!uris.includes(uri)) return Response.json(JWKS)
      if (asked.add(uri).size === uris.length) resolve()
      await allAsked
      return new Response(await signStatusList([], { claims: { sub: uri } }))
    }
    const { verify } = setUp({ fetch })
    await Promise.all(uris.map(async (uri) => verify(await withStatus({ status_list: { idx: 0, uri } }))))
  })

  it('is fetched once for any number of tokens', async () => {
    const { verify, countLists } = setUp()
    await Promise.all(Array.from({ length: 50 }, () => verify()))
    await verify()
    expect(countLists()).toBe(1)
  })

  it('counts its ttl from when it was made, of which caches may have used up half', async () => {
    const { state, verify, countLists } = setUp()
    state.signing = { claims: { iat: NOW_SECONDS - 10 } }
    await verify()
    state.nowMs += 20_000
    await verify()
    expect(countLists()).toBe(2)
  })

  it('is kept for half its ttl where the clock of the issuer is behind', async () => {
    const { state, verify, countLists } = setUp()
    state.signing = { claims: { iat: NOW_SECONDS - 40 } }
    await verify()
    state.nowMs += 9_999
    await verify()
    expect(countLists()).toBe(1)
    state.nowMs += 5_001
    await verify()
    expect(countLists()).toBe(2)
  })

  it('that is older than the last one does not undo what that one said', async () => {
    const { state, verify, refusalOf } = setUp()
    state.statuses = [[INDEX, 1]]
    expect((await refusalOf()).code).toBe('token_revoked')
    state.statuses = []
    state.signing = { claims: { iat: NOW_SECONDS - 1 } }
    state.nowMs += 30_000
    expect((await refusalOf()).code).toBe('token_revoked')
    state.signing = {}
    state.nowMs += 30_000
    await verify()
  })

  it('that is of the same second as the last one does not undo what that one said', async () => {
    const { state, refusalOf } = setUp()
    state.statuses = [[INDEX, 1]]
    expect((await refusalOf()).code).toBe('token_revoked')
    state.statuses = []
    state.signing = { claims: { iat: NOW_SECONDS } }
    state.nowMs += 30_000
    expect((await refusalOf()).code).toBe('token_revoked')
  })

  it('that was on its way does not undo what a newer one said that came from elsewhere meanwhile', async () => {
    const { state, verifier, refusalOf, countLists } = setUp()
    const older = new Response(await signStatusList([], { claims: { iat: NOW_SECONDS - 2 } }))
    const newer = await signStatusList([[INDEX, 1]], { claims: { iat: NOW_SECONDS - 1 } })
    const answered = Promise.withResolvers<Response>()
    state.answer = () => answered.promise
    const refused = refusalOf()
    await vi.waitFor(() => expect(countLists()).toBe(1))
    const { jwks } = verifier.snapshot()
    const kept = { version: 1, issuer: ISSUER, jwks, status_lists: [newer] }
    expect((await verifier.hydrate(kept)).statusLists).toBe(1)
    answered.resolve(older)
    expect((await refused).code).toBe('token_revoked')
  })

  it('is taken from elsewhere by when it was made, not by when the one at hand was fetched', async () => {
    const { state, verifier, verify, refusalOf } = setUp()
    state.signing = { claims: { iat: NOW_SECONDS - 20 } }
    await verify()
    const newer = await signStatusList([[INDEX, 1]], { claims: { iat: NOW_SECONDS - 10 } })
    const kept = { ...verifier.snapshot(), status_lists: [newer] }
    expect((await verifier.hydrate(kept)).statusLists).toBe(1)
    expect((await refusalOf()).code).toBe('token_revoked')
  })

  it('of an hour ahead, since the clock was set back, keeps no revocation from being seen', async () => {
    const { state, verify, refusalOf } = setUp()
    await verify()
    state.statuses = [[INDEX, 1]]
    state.nowMs -= 3_600_000
    expect((await refusalOf()).code).toBe('token_revoked')
  })

  it.each<[string, Partial<{ signing: SignedListOptions; answer: () => Promise<Response> }>]>([
    ['a page', { answer: async () => new Response('<html>') }],
    ['500', { answer: async () => new Response(null, { status: 500 }) }],
    ['a redirect', { answer: async () => Response.redirect('https://evil.example.com', 302) }],
    ['10 MB', { answer: async () => new Response('a'.repeat(10_000_000)) }],
    ['a token that is no list', { signing: { header: { typ: 'at+jwt' } } }],
    ['a list without a key', { signing: { header: { kid: undefined } } }],
    ['another list', { signing: { claims: { sub: LIST_URI.replace('/0', '/1') } } }],
    ['a list that has expired', { signing: { claims: { exp: NOW_SECONDS - 5 } } }],
    ['a list of somebody else', { signing: { key: FORGER } }],
    ['a list of an unknown key', { signing: { key: STRANGER } }],
  ])('is not %s', async (_name, change) => {
    const { state, refusalOf } = setUp()
    Object.assign(state, change)
    const error = await refusalOf()
    expect([error.code, error.status, error.wwwAuthenticate, error.retryAfterSeconds]).toEqual([
      'status_unavailable',
      503,
      undefined,
      5,
    ])
    expect(error.cause).toBeInstanceOf(Error)
  })
})

describe('while the issuer is away, a list', () => {
  /** Verifies every second, as a service would, until `end` seconds after the list was fetched. */
  async function serveUntil(end: number, set: ReturnType<typeof setUp>): Promise<void> {
    await set.verify()
    set.state.isAway = true
    while (set.state.nowMs + 1000 < NOW.getTime() + end * 1000) {
      set.state.nowMs += 1000
      await set.verify()
    }
    set.state.nowMs = NOW.getTime() + end * 1000 - 1
    await set.verify()
    set.state.nowMs += 1
  }

  it('serves for ten minutes and not a moment longer, and then it is a 503', async () => {
    const set = setUp()
    await serveUntil(600, set)
    const error = await set.refusalOf()
    expect([error.code, error.status]).toEqual(['status_unavailable', 503])
    expect(error.cause).toEqual(new TypeError('fetch failed'))
    expect(set.countLists()).toBeLessThan(600 / 5 + 2)
  })

  it('serves as long as the options say', async () => {
    const set = setUp({ statusList: { maxStaleSeconds: 60 } })
    await serveUntil(60, set)
    expect((await set.refusalOf()).code).toBe('status_unavailable')
  })

  it('serves never past its own exp', async () => {
    const set = setUp({ statusList: { maxStaleSeconds: 3600 } })
    set.state.signing = { claims: { exp: NOW_SECONDS + 120 } }
    await serveUntil(125, set)
    expect((await set.refusalOf()).code).toBe('status_unavailable')
  })

  it('still tells who is revoked', async () => {
    const { state, refusalOf } = setUp()
    state.statuses = [[INDEX, 1]]
    expect((await refusalOf()).code).toBe('token_revoked')
    state.isAway = true
    state.nowMs += 300_000
    expect((await refusalOf()).code).toBe('token_revoked')
  })

  it('is there again once the issuer is', async () => {
    const set = setUp()
    await serveUntil(600, set)
    await set.refusalOf()
    set.state.isAway = false
    set.state.nowMs += 5_000
    await set.verify()
  })
})

describe('after a silence', () => {
  it('an issuer that hangs keeps who comes waiting for one second in all', async () => {
    let aheadMs = 0
    const now = () => new Date(NOW.getTime() + aheadMs + performance.now())
    const { state, verify } = setUp({ now, statusList: { maxStaleSeconds: 3600 } })
    await verify()
    state.isHanging = true
    aheadMs = 601_000
    const startedAt = performance.now()
    await verify()
    expect(performance.now() - startedAt).toBeLessThan(1_900)
    expect(state.requests).toHaveLength(4)
  })
})

describe('when the key of a list was withdrawn', () => {
  it('the list holds no more, and a newer one is fetched at once', async () => {
    const { state, verify, countLists } = setUp()
    const next = await createSigningKey('ES256', 'next')
    state.jwks = { keys: [...JWKS.keys, next.publicJwk] }
    state.signing = { key: next, claims: { ttl: 3600 } }
    await verify()
    state.jwks = JWKS
    state.signing = {}
    state.nowMs += 600_000
    await verify()
    expect(countLists()).toBe(2)
  })

  it('and the issuer still gives it out, nothing can be told', async () => {
    const { state, verify, refusalOf, countLists } = setUp()
    const next = await createSigningKey('ES256', 'next')
    state.jwks = { keys: [...JWKS.keys, next.publicJwk] }
    state.signing = { key: next, claims: { ttl: 3600 } }
    await verify()
    state.jwks = JWKS
    state.nowMs += 600_000
    for (let i = 0; i < 10; i += 1) expect((await refusalOf()).code).toBe('status_unavailable')
    expect(countLists()).toBe(2)
  })
})

describe('a list that a cache hands out for ever', () => {
  const frozen = () => {
    const set = setUp()
    set.state.signing = { claims: { iat: NOW_SECONDS, exp: NOW_SECONDS + 86_400 } }
    return set
  }

  it('serves until it is ten minutes old, however late it was fetched', async () => {
    const { state, verify, refusalOf } = frozen()
    await verify()
    state.nowMs = NOW.getTime() + 599_999
    await verify()
    state.nowMs = NOW.getTime() + 600_000
    expect([(await refusalOf()).code, (await refusalOf()).status]).toEqual(['status_unavailable', 503])
  })

  it('is not asked for all the time when it is too old', async () => {
    const { state, refusalOf, countLists } = frozen()
    state.nowMs = NOW.getTime() + 600_000
    for (let time = 0; time < 5; time += 1) expect((await refusalOf()).code).toBe('status_unavailable')
    expect(countLists()).toBe(1)
  })
})

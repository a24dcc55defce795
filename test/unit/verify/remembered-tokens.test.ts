import { describe, expect, it } from 'vitest'
import { createVerifier, type VerifierOptions } from '../../../src/verify/index.ts'
import { type RememberedToken, RememberedTokens } from '../../../src/verify/remembered-tokens.ts'
import {
  AUDIENCE,
  CLAIMS,
  catchRefusal,
  createSigningKey,
  ISSUER,
  JWKS,
  NOW,
  NOW_SECONDS,
  signToken,
  stubFetch,
} from './issuer-fixture.ts'

const ANOTHER = await createSigningKey('ES256', 'key-ES256')

const token = (jti: string) => ({ claims: { ...CLAIMS, jti } }) as unknown as RememberedToken

describe('the memory of verified tokens', () => {
  it('holds as many as it may, and lets go of the one that was not used for longest', () => {
    const memory = new RememberedTokens(2)
    memory.remember('a', token('1'))
    memory.remember('b', token('2'))
    memory.recall('a')
    memory.remember('c', token('3'))
    expect(['a', 'b', 'c'].map((name) => memory.recall(name)?.claims.jti)).toEqual(['1', undefined, '3'])
  })

  it('forgets', () => {
    const memory = new RememberedTokens(2)
    memory.remember('a', token('1'))
    memory.forget('a')
    expect(memory.recall('a')).toBeUndefined()
  })
})

/** A verifier with a clock that is turned by hand, and an issuer whose keys change. */
function setUp(options: Partial<VerifierOptions> = {}) {
  const state = { nowMs: NOW.getTime(), fetch: stubFetch() }
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    // Lists are for other tests: theirs of the fixture end with its tokens.
    statusList: null,
    fetch: (url, init) => state.fetch(url, init),
    now: () => new Date(state.nowMs),
    ...options,
  })
  return { state, verifier }
}

describe('a token that was verified before', () => {
  it('is not verified again', async () => {
    const { verifier } = setUp()
    const one = await signToken()
    expect(await verifier.verify(one)).toBe(await verifier.verify(one))
  })

  it('is, with the memory switched off', async () => {
    const { verifier } = setUp({ rememberedTokens: 0 })
    const one = await signToken()
    const claims = await verifier.verify(one)
    expect(await verifier.verify(one)).toEqual(claims)
    expect(await verifier.verify(one)).not.toBe(claims)
  })

  it('is, once more tokens came than are remembered', async () => {
    const { verifier } = setUp({ rememberedTokens: 1 })
    const [one, other] = [await signToken(), await signToken({ ...CLAIMS, jti: 'other' })]
    const claims = await verifier.verify(one)
    await verifier.verify(other)
    expect(await verifier.verify(one)).not.toBe(claims)
  })

  it('expires in its second', async () => {
    const { state, verifier } = setUp({ clockToleranceSeconds: 0 })
    const one = await signToken({ ...CLAIMS, exp: NOW_SECONDS + 10 })
    const claims = await verifier.verify(one)
    state.nowMs += 9_999
    expect(await verifier.verify(one)).toBe(claims)
    state.nowMs += 1
    expect((await catchRefusal(() => verifier.verify(one), one)).code).toBe('token_expired')
  })

  it('is not valid yet again when the clock is set back', async () => {
    const { state, verifier } = setUp({ clockToleranceSeconds: 0 })
    const one = await signToken({ ...CLAIMS, nbf: NOW_SECONDS })
    await verifier.verify(one)
    state.nowMs -= 1
    expect((await catchRefusal(() => verifier.verify(one), one)).code).toBe('token_not_yet_valid')
  })

  it.each([
    ['withdrawn', 'key_unknown', []],
    ['another one now', 'signature_invalid', [ANOTHER.publicJwk]],
  ])('is refused when its key is %s', async (_name, code, keys) => {
    const { state, verifier } = setUp()
    const one = await signToken({ ...CLAIMS, exp: NOW_SECONDS + 3600 })
    await verifier.verify(one)
    state.fetch = stubFetch({ keys })
    state.nowMs += 600_000
    expect((await catchRefusal(() => verifier.verify(one), one)).code).toBe(code)
  })

  it('outlives a refresh of the keys that leaves its own as it was', async () => {
    const { state, verifier } = setUp()
    const one = await signToken({ ...CLAIMS, exp: NOW_SECONDS + 3600 })
    const claims = await verifier.verify(one)
    const next = await createSigningKey('ES256', 'next')
    state.fetch = stubFetch({ keys: [next.publicJwk, ...JWKS.keys] })
    state.nowMs += 595_000
    await verifier.verify(one)
    await verifier.verify(await signToken({ ...CLAIMS, exp: NOW_SECONDS + 3600 }, {}, next))
    expect(await verifier.verify(one)).toBe(claims)
  })

  it('is a 503 when no keys are known any more', async () => {
    const { state, verifier } = setUp({ jwksMaxStaleSeconds: 600 })
    const one = await signToken({ ...CLAIMS, exp: NOW_SECONDS + 3600 })
    await verifier.verify(one)
    state.fetch = stubFetch('no keys')
    state.nowMs += 600_000
    expect((await catchRefusal(() => verifier.verify(one), one)).code).toBe('keys_unavailable')
  })

  it('lends its place to no token that differs in a character', async () => {
    const { verifier } = setUp()
    const one = await signToken()
    await verifier.verify(one)
    for (let at = 0; at < one.length; at += 17) {
      const other = one.slice(0, at) + (one[at] === 'A' ? 'E' : 'A') + one.slice(at + 1)
      await catchRefusal(() => verifier.verify(other), other)
    }
  })
})

import { describe, expect, it } from 'vitest'
import type { VerifierFetch } from '../../../src/verify/fetch-document.ts'
import { createVerifier, type VerifierOptions, type VerifierSnapshot } from '../../../src/verify/index.ts'
import {
  AUDIENCE,
  CLAIMS,
  CLEAN_LIST,
  catchRefusal,
  createSigningKey,
  ISSUER,
  JWKS,
  NOW,
  NOW_SECONDS,
  signStatusList,
  signToken,
  stubFetch,
} from './issuer-fixture.ts'

const TOKEN = await signToken({ ...CLAIMS, exp: NOW_SECONDS + 86_400 })
const FORGER = await createSigningKey('ES256', 'key-ES256')
const REVOKED_LIST = await signStatusList([[CLAIMS.status.status_list.idx, 1]])
const FORGED_LIST = await signStatusList([], { key: FORGER })
const EXPIRED_LIST = await signStatusList([], { claims: { exp: NOW_SECONDS - 5 } })
const OLD_LIST = await signStatusList([], { claims: { iat: NOW_SECONDS - 600, exp: NOW_SECONDS + 60 } })
const FOREIGN_LIST = await signStatusList([], {
  claims: { sub: 'https://evil.example.com/oauth2/status-lists/0' },
})
const SNAPSHOT: VerifierSnapshot = {
  version: 1,
  issuer: ISSUER,
  jwks: { fetched_at: NOW.toISOString(), max_age_seconds: 600, keys: JWKS.keys },
  status_lists: [CLEAN_LIST],
}

/** A verifier that is `ageSeconds` younger than the snapshot, and has no network but for what `fetch` gives it. */
function setUp(options: Partial<VerifierOptions> = {}, ageSeconds = 0) {
  const state = { nowMs: NOW.getTime() + ageSeconds * 1000, calls: 0 }
  const fetch: VerifierFetch = async () => {
    state.calls += 1
    throw new TypeError('no network')
  }
  const now = () => new Date(state.nowMs)
  return { state, verifier: createVerifier({ issuer: ISSUER, audience: AUDIENCE, fetch, now, ...options }) }
}

describe('a snapshot', () => {
  it('of a verifier that knows nothing is empty', () => {
    expect(setUp().verifier.snapshot()).toEqual({ version: 1, issuer: ISSUER, jwks: null, status_lists: [] })
  })

  it('is all that was fetched, as JSON', async () => {
    const { verifier } = setUp({ fetch: stubFetch() })
    await verifier.verify(TOKEN)
    expect(JSON.parse(JSON.stringify(verifier.snapshot()))).toEqual(SNAPSHOT)
  })

  it('is handed on whenever something was fetched', async () => {
    const kept: VerifierSnapshot[] = []
    const persist = (snapshot: VerifierSnapshot) => void kept.push(snapshot)
    const { verifier } = setUp({ fetch: stubFetch(), persist })
    await verifier.verify(TOKEN)
    await verifier.verify(TOKEN)
    expect(kept).toEqual([{ ...SNAPSHOT, status_lists: [] }, SNAPSHOT])
  })

  it('is handed on once the one before has been kept, so that the newest stays', async () => {
    const started: VerifierSnapshot[] = []
    const first = Promise.withResolvers<void>()
    const persist = (snapshot: VerifierSnapshot) => {
      started.push(snapshot)
      return first.promise
    }
    const { verifier } = setUp({ fetch: stubFetch(), persist })
    await verifier.verify(TOKEN)
    expect(started).toEqual([{ ...SNAPSHOT, status_lists: [] }])
    first.reject(new Error('the disk is full'))
    await expect.poll(() => started).toEqual([{ ...SNAPSHOT, status_lists: [] }, SNAPSHOT])
  })

  it.each<[string, () => Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('the disk is full')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('the disk is full')
      },
    ],
    ['never ends', () => new Promise(() => {})],
  ])('may be handed on to what %s', async (_name, persist) => {
    const { verifier } = setUp({ fetch: stubFetch(), persist })
    await verifier.verify(TOKEN)
  })
})

describe('a verifier that was given a snapshot', () => {
  it('needs no network', async () => {
    const { state, verifier } = setUp()
    expect(await verifier.hydrate(JSON.parse(JSON.stringify(SNAPSHOT)))).toEqual({
      keys: true,
      statusLists: 1,
    })
    expect(await verifier.verify(TOKEN)).toMatchObject({ sub: CLAIMS.sub })
    expect(state.calls).toBe(0)
    expect(verifier.snapshot()).toEqual(SNAPSHOT)
  })

  it('asks for what is no more fresh, and serves what it was given while the issuer is away', async () => {
    const { state, verifier } = setUp({ statusList: null }, 86_399)
    expect((await verifier.hydrate(SNAPSHOT)).keys).toBe(true)
    expect(state.calls).toBe(0)
    await verifier.verify(TOKEN)
    expect(state.calls).toBe(1)
  })

  it('takes no keys that are older than a day', async () => {
    const { verifier } = setUp({}, 86_400)
    expect(await verifier.hydrate(SNAPSHOT)).toEqual({ keys: false, statusLists: 0 })
    expect((await catchRefusal(() => verifier.verify(TOKEN))).code).toBe('keys_unavailable')
  })

  it('does not take keys for younger than now that a fast clock kept', async () => {
    const { state, verifier } = setUp({}, -3600)
    await verifier.hydrate({ ...SNAPSHOT, status_lists: [] })
    expect(verifier.snapshot().jwks?.fetched_at).toBe(new Date(state.nowMs).toISOString())
  })

  it('learns from it who is revoked', async () => {
    const { verifier } = setUp()
    await verifier.hydrate({ ...SNAPSHOT, status_lists: [REVOKED_LIST] })
    expect((await catchRefusal(() => verifier.verify(TOKEN))).code).toBe('token_revoked')
  })

  it.each([
    ['has expired', [EXPIRED_LIST]],
    ['is too old', [OLD_LIST]],
    ['somebody else signed', [FORGED_LIST]],
    ['is of another issuer', [FOREIGN_LIST]],
    ['is an access token', [TOKEN]],
    ['is none', ['', 'text', 7, null]],
  ])('takes no list that %s', async (_name, status_lists) => {
    const { verifier } = setUp()
    expect(await verifier.hydrate({ ...SNAPSHOT, status_lists })).toEqual({ keys: true, statusLists: 0 })
    expect((await catchRefusal(() => verifier.verify(TOKEN))).code).toBe('status_unavailable')
  })

  it('keeps what it knows itself, if that is newer', async () => {
    const { state, verifier } = setUp({ fetch: stubFetch() })
    state.nowMs += 1_000
    await verifier.verify(TOKEN)
    const older = { ...SNAPSHOT, jwks: { ...SNAPSHOT.jwks, keys: [] }, status_lists: [REVOKED_LIST] }
    expect(await verifier.hydrate(older)).toEqual({ keys: false, statusLists: 0 })
    await verifier.verify(TOKEN)
  })

  it.each([
    undefined,
    null,
    7,
    'text',
    [],
    {},
    { ...SNAPSHOT, version: 2 },
    { ...SNAPSHOT, issuer: `${ISSUER}/` },
    { ...SNAPSHOT, jwks: null, status_lists: 'none' },
    { ...SNAPSHOT, jwks: { ...SNAPSHOT.jwks, keys: 'none' } },
    { ...SNAPSHOT, jwks: { ...SNAPSHOT.jwks, fetched_at: 'yesterday' } },
    { ...SNAPSHOT, jwks: { ...SNAPSHOT.jwks, max_age_seconds: Number.NaN } },
  ])('is none the wiser by %j', async (snapshot) => {
    const { verifier } = setUp()
    expect(await verifier.hydrate(snapshot)).toEqual({ keys: false, statusLists: 0 })
  })
})

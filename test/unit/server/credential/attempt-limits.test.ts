import { describe, expect, it, vi } from 'vitest'
import type { PresentedCredential } from '../../../../src/protocol/credential.ts'
import { fail, ok } from '../../../../src/protocol/result.ts'
import {
  type Attempt,
  countFailures,
  createAttemptLimits,
  type FailureCount,
} from '../../../../src/server/credential/attempt-limits.ts'
import type { CredentialRefusal } from '../../../../src/server/credential/verify.ts'
import { ID, makeCredential } from '../../protocol/credential-fixture.ts'
import { NOW } from '../policy/policy-fixture.ts'
import { buildStanding } from './standing-fixture.ts'

const PAT = makeCredential()
const ADDRESS = '192.0.2.1'
const attempt = (over: Partial<Attempt> = {}): Attempt => ({
  address: ADDRESS,
  clientId: null,
  presented: PAT,
  ...over,
})

/** A count whose window never ends; used up keys wait for `seconds`. */
function countUpTo(points: number, seconds: number): FailureCount & { readonly keys: () => string[] } {
  const counted = new Map<string, number>()
  return {
    isQuiet: () => counted.size === 0,
    keys: () => [...counted.keys()],
    findWaitSeconds: async (key) => ((counted.get(key) ?? 0) >= points ? seconds : null),
    add: async (key) => {
      counted.set(key, (counted.get(key) ?? 0) + 1)
      return counted.get(key) === points
    },
  }
}

function start({ remembered = [] }: { remembered?: readonly PresentedCredential[] } = {}) {
  const counts = { address: countUpTo(3, 30), client: countUpTo(5, 50), credential: countUpTo(2, 20) }
  const observer = { onReached: vi.fn(), onRefused: vi.fn() }
  const hasher = { remembers: (presented: PresentedCredential) => remembered.includes(presented) }
  const holdBack = vi.fn(async () => {})
  const limits = createAttemptLimits(counts, hasher, observer, holdBack)
  const fails = async (times: number, over: Partial<Attempt> = {}) => {
    for (let n = 0; n < times; n += 1) await limits.noteFailure(attempt(over))
  }
  return { counts, observer, holdBack, limits, fails }
}

const tooMany = (retryAfterSeconds: number) => fail({ reason: 'too_many_failures', retryAfterSeconds })

describe('an attempt', () => {
  it('goes on until the failures at its credential from its address are used up', async () => {
    const { limits, fails } = start()
    await fails(1)
    expect(await limits.admit(attempt())).toEqual(ok(null))
    await fails(1)
    expect(await limits.admit(attempt())).toEqual(tooMany(20))
  })

  it('is held back when it is refused, and not when it goes on', async () => {
    const { limits, fails, holdBack } = start()
    await fails(1)
    await limits.admit(attempt())
    expect(holdBack).not.toHaveBeenCalled()
    await fails(1)
    let isTold = false
    const held = Promise.withResolvers<void>()
    holdBack.mockImplementation(() => held.promise)
    const refused = limits.admit(attempt()).then(() => {
      isTold = true
    })
    await new Promise(setImmediate)
    expect([holdBack.mock.calls.length, isTold]).toEqual([1, false])
    held.resolve()
    await refused
  })

  it('is refused for any credential when the failures of its address are, and waits for the longest', async () => {
    const { limits, fails } = start()
    await fails(3)
    expect(await limits.admit(attempt({ presented: makeCredential('personal', '1'.repeat(16)) }))).toEqual(
      tooMany(30),
    )
    expect(await limits.admit(attempt({ presented: null }))).toEqual(tooMany(30))
    expect(await limits.admit(attempt())).toEqual(tooMany(30))
  })

  it('from another address is none of this, also at the same credential', async () => {
    const { limits, fails } = start()
    await fails(10)
    expect(await limits.admit(attempt({ address: '192.0.2.2' }))).toEqual(ok(null))
  })

  it('with a value that matched before goes on whatever is counted', async () => {
    const { limits, fails, observer } = start({ remembered: [PAT] })
    await fails(10)
    expect(await limits.admit(attempt())).toEqual(ok(null))
    const guess = makeCredential('personal', ID, '0'.repeat(40))
    expect(await limits.admit(attempt({ presented: guess }))).toEqual(tooMany(30))
    expect(observer.onRefused.mock.calls).toEqual([['address']])
  })

  it('by a client that authenticated itself counts on the client and not on its address', async () => {
    const { limits, fails } = start()
    for (let n = 0; n < 5; n += 1)
      await fails(1, { clientId: 'gateway', presented: makeCredential('personal', `${n}`.repeat(16)) })
    const next = makeCredential('personal', '9'.repeat(16))
    expect(await limits.admit(attempt({ clientId: 'gateway', presented: next }))).toEqual(tooMany(50))
    expect(await limits.admit(attempt({ clientId: 'other', presented: next }))).toEqual(ok(null))
    expect(await limits.admit(attempt({ presented: next }))).toEqual(ok(null))
  })

  it('that presents no credential counts on its address alone', async () => {
    const { counts, fails } = start()
    await fails(1, { presented: null })
    const { address, client, credential } = counts
    expect([address, client, credential].map(({ keys }) => keys().length)).toEqual([1, 0, 0])
  })

  it('from an IPv6 address counts for its whole /56', async () => {
    const { limits, fails } = start()
    await fails(3, { address: '2001:db8:0:ff::1' })
    expect((await limits.admit(attempt({ address: '2001:db8::2' }))).ok).toBe(false)
    expect((await limits.admit(attempt({ address: '2001:db8:0:100::1' }))).ok).toBe(true)
  })

  it('leaves no secret in a key', async () => {
    const { counts, fails } = start()
    await fails(1)
    expect(counts.credential.keys()).toEqual([`${ID} ${ADDRESS}`])
  })

  it('is told of once when it uses up a window', async () => {
    const { observer, fails } = start()
    await fails(10)
    expect(observer.onReached.mock.calls).toEqual([
      ['credential', attempt()],
      ['address', attempt()],
    ])
  })
})

describe('a check with its failures counted', () => {
  const CONTEXT = { now: NOW, address: ADDRESS, clientId: 'gateway', userAgent: undefined, requestId: 'r1' }

  const noteAfter = async (refusal: CredentialRefusal | null): Promise<unknown[]> => {
    const noteFailure = vi.fn(async () => {})
    const limits = { admit: async () => ok(null), noteFailure }
    const standing = buildStanding()
    const verified = refusal ? fail({ refusal, standing }) : ok(standing)
    const verify = countFailures(async () => verified, limits)
    expect(await verify(PAT, CONTEXT)).toBe(verified)
    return noteFailure.mock.calls
  }

  it.each(['credential_unknown', 'secret_mismatch'] as const)('counts %s', async (reason) => {
    expect(await noteAfter({ reason })).toEqual([[{ address: ADDRESS, clientId: 'gateway', presented: PAT }]])
  })

  it.each([
    'credential_revoked',
    'credential_expired',
    'credential_superseded',
    'owner_suspended',
    'address_not_allowed',
  ] as const)('does not count %s: the secret was right', async (reason) => {
    expect(await noteAfter({ reason })).toEqual([])
  })

  it('does not count what passes', async () => {
    expect(await noteAfter(null)).toEqual([])
  })
})

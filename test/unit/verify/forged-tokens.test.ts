// Tokens forged in every way we have read of. Some need no key, some are signed by a forger, some by the issuer itself
// for another purpose. Each is refused with the code that says why, quickly, and without a request anywhere.

import { afterEach, describe, expect, it, vi } from 'vitest'
import { createVerifier } from '../../../src/verify/index.ts'
import { ALGORITHMS } from './forged/algorithms.ts'
import { CLAIMS_OF_TOKENS } from './forged/claims.ts'
import { type Forgery, GOOD } from './forged/forgery.ts'
import { FORMS_OF_TOKENS } from './forged/forms.ts'
import { KEYS } from './forged/keys.ts'
import { SPELLINGS } from './forged/spellings.ts'
import { STATUSES_OF_TOKENS } from './forged/status.ts'
import { TYPES_AND_EXTENSIONS } from './forged/types.ts'
import { AUDIENCE, CLAIMS, catchRefusal, ISSUER, LIST_URI, NOW, stubFetch } from './issuer-fixture.ts'

const FORGERIES: Record<string, readonly Forgery[]> = {
  'an algorithm': ALGORITHMS,
  'a key': KEYS,
  'a type or an extension': TYPES_AND_EXTENSIONS,
  'a spelling': SPELLINGS,
  'a form': FORMS_OF_TOKENS,
  'a claim': CLAIMS_OF_TOKENS,
  'a status': STATUSES_OF_TOKENS,
}

const LIMIT_MS = 5

/** A verifier with all its checks on, and every address it asked. */
function setUp() {
  const asked: string[] = []
  const answer = stubFetch()
  const verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    now: () => NOW,
    fetch: async (url) => {
      asked.push(url)
      return answer(url, {})
    },
  })
  return { asked, verify: (token: unknown) => verifier.verify(token as string) }
}

/** CPU time of one run, whatever else the machine is doing meanwhile: the median of several measurements. */
async function measureCpuMs(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 7; round += 1) {
    const before = process.cpuUsage()
    for (let repetition = 0; repetition < 3; repetition += 1) await run()
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 3_000)
  }
  return times.toSorted((one, other) => one - other)[3] ?? Number.NaN
}

afterEach(() => vi.restoreAllMocks())

describe.each(Object.entries(FORGERIES))('forged by %s', (_name, forgeries) => {
  const { verify } = setUp()

  it.each(forgeries)('%s is refused: %s', async (_forgery, code, token) => {
    const error = await catchRefusal(() => verify(token), typeof token === 'string' ? token : '')
    expect([error.code, error.status]).toEqual([code, 401])
  })

  it(`is refused within ${LIMIT_MS} ms of CPU time`, async () => {
    const slow: [name: string, ms: number][] = []
    for (const [name, , token] of forgeries) {
      const ms = await measureCpuMs(() => catchRefusal(() => verify(token)))
      if (!(ms < LIMIT_MS)) slow.push([name, ms])
    }
    expect(slow).toEqual([])
  })
})

describe('all forged tokens', () => {
  const all = Object.values(FORGERIES).flat()

  it('are many, and no two the same', () => {
    expect(all.length).toBeGreaterThan(200)
    expect(new Set(all.map(([name]) => name)).size).toBe(all.length)
  })

  it('make the verifier ask for the keys of the issuer and for its list, once each, and for nothing else', async () => {
    const globalFetch = vi.spyOn(globalThis, 'fetch')
    const { asked, verify } = setUp()
    for (const [, , token] of all) await catchRefusal(() => verify(token))
    await verify(GOOD)
    for (const [, , token] of all) await catchRefusal(() => verify(token))
    expect(asked).toEqual([`${ISSUER}/.well-known/jwks.json`, LIST_URI])
    expect(globalFetch).not.toHaveBeenCalled()
  })

  it('leave a good token what it is', async () => {
    const { verify } = setUp()
    expect(await verify(GOOD)).toEqual(CLAIMS)
    for (const [, , token] of all) await catchRefusal(() => verify(token))
    expect(await verify(GOOD)).toEqual(CLAIMS)
  })
})

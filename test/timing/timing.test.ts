// `npm run test:timing`: whether the time of a refusal tells if a credential exists. Wants the machine for itself.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { generateCredential } from '../../src/protocol/credential.ts'
import { type Acme, startAcme, withAnotherSecret } from '../support/acme.ts'
import { callApi, requestExchange } from '../support/requests.ts'
import { compareSamples } from './rank-test.ts'

const TRIES = 1000
const WARM_UP = 200
/** Of the rank test: of a thousand runs with nothing to find, one lies beyond. A hash on one side alone makes it 14. */
const MOST_Z = 3.3

let acme: Acme
beforeAll(async () => {
  acme = await startAcme()
})
afterAll(() => acme.stop())

const REFUSALS: [string, (pat: string) => Promise<{ readonly status: number }>, number][] = [
  ['an exchange', (subject_token) => requestExchange(acme.url, { subject_token }), 400],
  ['the management API', (pat) => callApi(acme.url, pat, 'GET', '/me'), 401],
]

it.each(REFUSALS)(
  '%s takes the same time for an unknown id and for a wrong secret',
  {
    timeout: 300_000,
  },
  async (what, present, refused) => {
    const time = async (pat: string): Promise<number> => {
      const start = performance.now()
      const { status } = await present(pat)
      const tookMs = performance.now() - start
      expect(status).toBe(refused)
      return tookMs
    }

    const makers = [
      () => generateCredential('personal', randomBytes).reveal(),
      () => withAnotherSecret(acme.janePat),
    ] as const
    const times: [number[], number[]] = [[], []]
    for (let round = -WARM_UP; round < TRIES; round++) {
      // Neither is always the one behind the other.
      for (const kind of Math.random() < 0.5 ? ([0, 1] as const) : ([1, 0] as const)) {
        const tookMs = await time(makers[kind]())
        if (round >= 0) times[kind].push(tookMs)
      }
    }
    const { medians, probability, z } = compareSamples(...times)
    const [unknown, wrong] = medians.map((median) => median.toFixed(3))
    process.stdout.write(
      `${what}, median of ${TRIES}: unknown id ${unknown} ms, wrong secret ${wrong} ms; the latter is slower in ` +
        `${(probability * 100).toFixed(1)} % of pairs (z = ${z.toFixed(1)})\n`,
    )
    expect(Math.abs(z)).toBeLessThan(MOST_Z)
  },
)

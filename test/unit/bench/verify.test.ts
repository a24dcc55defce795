import { describe, expect, it } from 'vitest'
import { CONTESTANTS } from '../../bench/verify/contestants.ts'
import { ALGORITHMS, createIssuer, type Issuer } from '../../bench/verify/issuer.ts'
import { measureVerifications } from '../../bench/verify/measure.ts'

const issuers = await Promise.all(ALGORITHMS.map((algorithm) => createIssuer(algorithm, 2)))
const strangers = await Promise.all(ALGORITHMS.map((algorithm) => createIssuer(algorithm, 1)))

const CASES = issuers.flatMap((issuer, index) =>
  CONTESTANTS.map((contestant) => ({ ...contestant, issuer, stranger: strangers[index] as Issuer })),
)

describe.each(CASES)('$issuer.algorithm, $name', ({ issuer, stranger, start }) => {
  it('accepts every token, also again', async () => {
    const verify = await start(issuer)
    for (const token of [...issuer.tokens, ...issuer.tokens])
      await expect((async () => verify(token))()).resolves.toBeDefined()
  })

  it('looks at the signature: it accepts no token of another key', async () => {
    const verify = await start(issuer)
    await expect((async () => verify(stranger.tokens[0] ?? ''))()).rejects.toThrow()
  })
})

describe('the comparison', () => {
  it('measures everybody with every algorithm, against the signature alone', async () => {
    const measured = await measureVerifications({ rounds: 3, tokens: 5 }, () => {})
    expect(measured.map(({ id }) => id)).toEqual(
      ALGORITHMS.flatMap((algorithm) => CONTESTANTS.map(({ id }) => `${algorithm}-${id}`)),
    )
    for (const { id, cpuMicroseconds, perReference, microseconds } of measured) {
      expect(Math.min(cpuMicroseconds, perReference, microseconds), id).toBeGreaterThan(0)
      if (id.endsWith('-signature')) expect(perReference).toBe(1)
    }
  })
})

// What one verification costs in CPU time. Contestants take turns, in another order each round, and are held against
// the reference of the same round: whatever else the machine does falls on all alike.

import { median } from '../meter/figures.ts'
import type { Verification } from '../report/report.ts'
import { CONTESTANTS, type Contestant, REFERENCE, type Verify } from './contestants.ts'
import { ALGORITHMS, createIssuer, type Issuer } from './issuer.ts'

export interface VerifySize {
  readonly rounds: number
  /** Tokens that each verifies in a round. */
  readonly tokens: number
}

interface Cost {
  readonly cpuMicroseconds: number
  readonly microseconds: number
}

/** Tokens seen before take so little that they are verified more often in a round. */
const REPETITIONS = 5

/** Rounds that compile the code. */
const WARM_UP_ROUNDS = 2

/** Measures all contestants with each algorithm. Rejects when one refuses a token, all of which are good. */
export async function measureVerifications(
  { rounds, tokens }: VerifySize,
  say: (text: string) => void,
): Promise<Verification[]> {
  const measured: Verification[] = []
  for (const algorithm of ALGORITHMS) {
    const issuer = await createIssuer(algorithm, tokens)
    const costs = await takeTurns(issuer, rounds)
    for (const [{ id, name }, each] of costs)
      measured.push({ id: `${algorithm}-${id}`, name, algorithm, ...summarize(each, referenceOf(costs)) })
    say(`verifications with ${algorithm}: ${rounds} rounds of ${tokens} tokens`)
  }
  return measured
}

async function takeTurns(issuer: Issuer, rounds: number): Promise<Map<Contestant, Cost[]>> {
  const costs = new Map<Contestant, Cost[]>(CONTESTANTS.map((contestant) => [contestant, []]))
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const first = (round + WARM_UP_ROUNDS) % CONTESTANTS.length
    for (const contestant of [...CONTESTANTS.slice(first), ...CONTESTANTS.slice(0, first)]) {
      const cost = await measureOnce(contestant, issuer)
      if (round >= 0) costs.get(contestant)?.push(cost)
    }
  }
  return costs
}

async function measureOnce(contestant: Contestant, issuer: Issuer): Promise<Cost> {
  const verify = await contestant.start(issuer)
  const repetitions = contestant.isRemembering ? REPETITIONS : 1
  if (contestant.isRemembering) await verifyAll(verify, issuer.tokens, 1)
  const [cpu, startedMs] = [process.cpuUsage(), performance.now()]
  await verifyAll(verify, issuer.tokens, repetitions)
  const milliseconds = performance.now() - startedMs
  const { user, system } = process.cpuUsage(cpu)
  const count = issuer.tokens.length * repetitions
  return { cpuMicroseconds: (user + system) / count, microseconds: (milliseconds * 1000) / count }
}

/** One after the other. */
async function verifyAll(verify: Verify, tokens: readonly string[], repetitions: number): Promise<void> {
  for (let repetition = 0; repetition < repetitions; repetition += 1)
    for (const token of tokens) await verify(token)
}

const referenceOf = (costs: ReadonlyMap<Contestant, readonly Cost[]>): readonly Cost[] =>
  [...costs].find(([{ id }]) => id === REFERENCE)?.[1] ?? []

function summarize(costs: readonly Cost[], reference: readonly Cost[]) {
  const ratios = costs.map(
    ({ cpuMicroseconds }, round) => cpuMicroseconds / (reference[round]?.cpuMicroseconds ?? Number.NaN),
  )
  return {
    cpuMicroseconds: median(costs.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    microseconds: median(costs.map(({ microseconds }) => microseconds)),
    perReference: median(ratios),
  }
}

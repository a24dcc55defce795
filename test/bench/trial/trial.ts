// One row's worth of work: a load on a server, measured, and its answers looked at.

import { startClosedLoop } from '../load/closed-loop.ts'
import type { Target } from '../load/connection.ts'
import type { Origins } from '../load/load.ts'
import { startOpenLoop } from '../load/open-loop.ts'
import { Tally } from '../load/tally.ts'
import type { Figures } from '../meter/figures.ts'
import { type Meters, measure, type Window } from '../meter/measure.ts'

/** A server under load. */
export interface Contestant {
  readonly name: string
  readonly target: Target
  readonly meters: Meters
  /** Says what is wrong with the body of a granted exchange; undefined when nothing is. */
  readonly findFault: (body: Buffer) => Promise<string | undefined>
}

export interface Trial {
  readonly name: string
  readonly connections: number
  readonly next: () => Buffer | null
  /** Requests arrive this often, whatever the server does; without it, each connection sends as fast as it can. */
  readonly perSecond?: number
  /** Statuses that are right; 200 unless said otherwise. */
  readonly expected?: readonly number[]
  /** Whether what is granted is a token; true unless said otherwise. */
  readonly grantsTokens?: boolean
  readonly origins?: Origins
}

export type Say = (text: string) => void

/** Runs a trial. Answers that were wrong are counted as failures and said. */
export async function runTrial(
  contestant: Contestant,
  trial: Trial,
  window: Window,
  say: Say,
): Promise<Figures> {
  const { perSecond, expected = [200], grantsTokens = true } = trial
  const options = { ...trial, target: contestant.target }
  const tally = new Tally(expected)
  const load = await (perSecond === undefined
    ? startClosedLoop(options)
    : startOpenLoop({ ...options, perSecond }))
  const figures = await measure(load, tally, contestant.meters, window)
  const faults = grantsTokens ? await findFaults(contestant, tally.kept) : []
  say(`${describeTrial(contestant, trial)}: ${describeFigures(figures)}`)
  for (const problem of [...tally.unexpected, ...faults]) say(`  wrong: ${problem}`)
  return { ...figures, failures: figures.failures + faults.length }
}

async function findFaults({ findFault }: Contestant, bodies: readonly Buffer[]): Promise<string[]> {
  const faults = await Promise.all(bodies.map(findFault))
  return faults.filter((fault) => fault !== undefined)
}

const describeTrial = ({ name }: Contestant, { name: trial, connections, perSecond }: Trial): string => {
  const arrivals = perSecond === undefined ? '' : `, ${Math.round(perSecond)} arriving per second`
  return `${name}, ${connections} conns, ${trial}${arrivals}`
}

const describeFigures = ({ perSecond, p50Ms, p99Ms, failures }: Figures): string =>
  `${Math.round(perSecond)} per second, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${failures} failed`

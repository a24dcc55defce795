// What all trials of a run share, and what they leave behind for the report.

import type { Figures } from '../meter/figures.ts'
import type { Options } from '../options.ts'
import type { Preparation, Row } from '../report/report.ts'
import type { Patmint } from '../stage/patmint.ts'
import { type Contestant, runTrial, type Say, type Trial } from './trial.ts'

export class Session {
  readonly options: Options
  readonly say: Say
  readonly rows: Row[] = []
  readonly preparations: Preparation[] = []

  constructor(options: Options, say: Say) {
    this.options = options
    this.say = say
  }

  run(contestant: Contestant, trial: Trial, window = this.options.window): Promise<Figures> {
    return runTrial(contestant, trial, window, this.say)
  }

  /** Does something that is not measured itself, and notes how long it took. */
  async prepare<T>(name: string, task: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const result = await task()
    const seconds = (performance.now() - startedAt) / 1000
    this.preparations.push({ name, seconds })
    this.say(`${name}: ${seconds.toFixed(1)} s`)
    return result
  }
}

/** The servers of a run. */
export interface Arena {
  readonly floor: Contestant
  readonly small: Patmint
  /** Undefined when this run has none. */
  readonly large: Patmint | undefined
}

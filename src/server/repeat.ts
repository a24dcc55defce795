// Background work of a server: started, watched, and its failures told.

import type { Logger } from './http/log.ts'
import type { Watched } from './instrument.ts'
import { type PeriodicTask, type PeriodicTaskOptions, startPeriodicTask } from './ledger/periodic-task.ts'

type Interval = { readonly hours: number } | { readonly seconds: number }

const toMs = (interval: Interval): number =>
  'hours' in interval ? interval.hours * 3_600_000 : interval.seconds * 1000

export interface RepeatOptions {
  readonly log: Logger
  readonly clock: () => Date
  readonly watched: Watched
}

/** Runs `run` now and at every interval. */
export const repeat = (
  options: RepeatOptions,
  task: string,
  interval: Interval,
  run: PeriodicTaskOptions['run'],
): PeriodicTask => startPeriodicTask({ intervalMs: toMs(interval), ...watch(options, task, run) })

/** The work of a task with what is told of it. Of failures in a row the first is logged; all of them are counted. */
export function watch(
  { log, clock, watched }: RepeatOptions,
  task: string,
  run: PeriodicTaskOptions['run'],
): Pick<PeriodicTaskOptions, 'run' | 'onError'> {
  let hasFailed = false
  return watched.task(task, clock, {
    run: async (signal) => {
      await run(signal)
      hasFailed = false
    },
    onError: (error) => {
      if (!hasFailed) log.error({ err: error, task }, 'background task failed')
      hasFailed = true
    },
  })
}

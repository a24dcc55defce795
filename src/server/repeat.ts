// Background work of a server: started, watched, and its failures told.

import type { Logger } from './http/log.ts'
import type { Watched } from './instrument.ts'
import { type PeriodicTask, type PeriodicTaskOptions, startPeriodicTask } from './ledger/periodic-task.ts'

const HOUR_MS = 3_600_000

export interface RepeatOptions {
  readonly log: Logger
  readonly clock: () => Date
  readonly watched: Watched
}

/** Runs `run` now and every so many `hours`. */
export const repeat = (
  { log, clock, watched }: RepeatOptions,
  task: string,
  hours: number,
  run: PeriodicTaskOptions['run'],
): PeriodicTask =>
  startPeriodicTask({
    intervalMs: hours * HOUR_MS,
    ...watched.task(task, clock, {
      run,
      onError: (error) => log.error({ err: error, task }, 'background task failed'),
    }),
  })

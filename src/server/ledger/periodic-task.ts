// Background work of one instance: at once, and again at an interval. Knows nothing of what the work is.

export interface PeriodicTaskOptions {
  readonly intervalMs: number
  /** Long work looks at the signal between its steps: it is aborted when the task is stopped. */
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Told of a run that failed; the next one comes all the same. */
  readonly onError: (error: unknown) => void
}

export interface PeriodicTask {
  /** Resolves when the first run has ended, well or not. */
  readonly firstRun: Promise<void>
  /** No further run begins; resolves when the one under way has ended. */
  readonly stop: () => Promise<void>
}

/** Starts the first run and the timer, which does not keep the process. Runs never overlap. */
export function startPeriodicTask({ intervalMs, run, onError }: PeriodicTaskOptions): PeriodicTask {
  const stopping = new AbortController()
  const runUnlessStopped = async (): Promise<void> => {
    if (!stopping.signal.aborted) await run(stopping.signal).catch(onError)
  }
  const firstRun = runUnlessStopped()
  let lastRun = firstRun
  const timer = setInterval(() => {
    lastRun = lastRun.then(runUnlessStopped)
  }, intervalMs).unref()
  return {
    firstRun,
    stop: () => {
      stopping.abort()
      clearInterval(timer)
      return lastRun
    },
  }
}

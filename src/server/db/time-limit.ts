// A limit to how long somebody waits for the database. What they waited for goes on, and nobody hears how it ended.

/** Nobody waits any longer; the database may answer yet. */
export class TimeLimitPassed extends Error {
  constructor() {
    super('the database did not answer in time')
  }
}

/** What `task` gives; rejects with `TimeLimitPassed` when that takes longer than `limitMs`. */
export function waitAtMost<T>(limitMs: number, task: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new TimeLimitPassed()), limitMs)
    task.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

// A limit to how long somebody waits for the database. What they waited for goes on, and nobody hears how it ended.

/** Nobody waits any longer; the database may answer yet. */
export class TimeLimitPassed extends Error {
  constructor() {
    super('the database did not answer in time')
  }
}

/** What `task` gives; rejects with `TimeLimitPassed` when that takes longer than `limitMs`. */
export async function waitAtMost<T>(limitMs: number, task: Promise<T>): Promise<T> {
  const { promise: passed, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new TimeLimitPassed()), limitMs)
  try {
    return await Promise.race([task, passed])
  } finally {
    clearTimeout(timer)
  }
}

// Timers, which keep no process alive, and waiting with an end.

/** Does something once, later; answers how to call it off. */
export type Schedule = (task: () => void, delayMs: number) => () => void

export const scheduleTimer: Schedule = (task, delayMs) => {
  const timer = setTimeout(task, delayMs)
  // Elsewhere than in Node, Deno and Bun a timer is a number.
  if (typeof timer === 'object') unrefTimer(timer)
  return () => clearTimeout(timer)
}

const unrefTimer = (timer: { readonly unref?: () => unknown }): void => void timer.unref?.()

/** What `work` resolves to, or `undefined` when that takes longer. */
export function settleWithin<Value>(
  work: Promise<Value>,
  schedule: Schedule,
  waitMs: number,
): Promise<Value | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = schedule(() => resolve(undefined), waitMs)
    work.finally(cancel).then(resolve, reject)
  })
}

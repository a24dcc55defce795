// One deadline for all that a token request waits for, from its first look-up on: its client, the credential, the record.

import { Provider } from 'oidc-provider'
import { TimeLimitPassed, waitAtMost } from '../db/time-limit.ts'

/** By the request's context; of the clock that never steps. */
const deadlines = new WeakMap<object, number>()

/** Lets whatever this request waits for from now on take `limitMs` in all. */
export function setDeadline(ctx: object, limitMs: number): void {
  deadlines.set(ctx, performance.now() + limitMs)
}

/** Whether the request is still before its deadline. */
export function isAwaited(ctx: object): boolean {
  const deadline = deadlines.get(ctx)
  return deadline === undefined || performance.now() < deadline
}

/** What `task` gives; rejects with `TimeLimitPassed` at the deadline, and begins nothing after it. */
export function beforeDeadline<T>(
  task: () => Promise<T>,
  ctx: object | undefined = Provider.ctx,
): Promise<T> {
  const deadline = ctx && deadlines.get(ctx)
  if (deadline === undefined) return task()
  const leftMs = deadline - performance.now()
  return leftMs > 0 ? waitAtMost(leftMs, task()) : Promise.reject(new TimeLimitPassed())
}

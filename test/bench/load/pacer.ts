// Calls at fixed instants. A thread of its own sleeps between them, because timers of the event loop are late by half
// a millisecond, which is most of what an exchange takes.

import { Worker } from 'node:worker_threads'

export interface PacerPlan {
  /** `process.hrtime` of tick 0, which all threads share. */
  readonly startNs: bigint
  readonly tickMs: number
}

export interface Pacer {
  stop(): Promise<void>
}

/** Time for the thread to come up. */
const LEAD_MS = 200

/** Calls `onTick` with each tick and the `performance.now()` it was due at; late ticks are made up for at once. */
export async function startPacer(
  tickMs: number,
  onTick: (tick: number, dueAt: number) => void,
): Promise<Pacer> {
  const startAt = performance.now() + LEAD_MS
  const plan: PacerPlan = { startNs: process.hrtime.bigint() + BigInt(LEAD_MS * 1e6), tickMs }
  const thread = new Worker(new URL('./pacer-thread.ts', import.meta.url), { workerData: plan })
  let tick = 0
  thread.on('message', () => {
    onTick(tick, startAt + tick * tickMs)
    tick += 1
  })
  return {
    stop: async () => {
      await thread.terminate()
    },
  }
}

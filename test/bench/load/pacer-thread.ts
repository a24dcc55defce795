// The thread of a pacer: sleeps until a tick is due, says so, and goes on until it is ended.

import { parentPort, workerData } from 'node:worker_threads'
import type { PacerPlan } from './pacer.ts'

const { startNs, tickMs } = workerData as PacerPlan
const NEVER_CHANGED = new Int32Array(new SharedArrayBuffer(4))

for (let tick = 0; ; tick += 1) {
  const elapsedMs = Number(process.hrtime.bigint() - startNs) / 1e6
  const waitMs = tick * tickMs - elapsedMs
  if (waitMs > 0) Atomics.wait(NEVER_CHANGED, 0, 0, waitMs)
  parentPort?.postMessage(null)
}

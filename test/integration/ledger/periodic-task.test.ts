import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startPeriodicTask } from '../../../src/server/ledger/periodic-task.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const INTERVAL_MS = 1000

describe('a periodic task', () => {
  it('runs at once, and again after each interval', async () => {
    const run = vi.fn(async () => {})
    const task = startPeriodicTask({ intervalMs: INTERVAL_MS, run, onError: () => {} })
    await task.firstRun
    await vi.advanceTimersByTimeAsync(INTERVAL_MS - 1)
    expect(run).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(run).toHaveBeenCalledTimes(2)
    await task.stop()
  })

  it('reports a run that fails, and runs again', async () => {
    const failures: unknown[] = []
    const run = vi.fn().mockRejectedValueOnce('away').mockResolvedValue(undefined)
    const task = startPeriodicTask({
      intervalMs: INTERVAL_MS,
      run,
      onError: (error) => void failures.push(error),
    })
    await task.firstRun
    await vi.advanceTimersByTimeAsync(INTERVAL_MS)
    expect([failures, run.mock.calls.length]).toEqual([['away'], 2])
    await task.stop()
  })

  it('never runs twice at the same time', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const run = vi.fn(() => promise)
    const task = startPeriodicTask({ intervalMs: INTERVAL_MS, run, onError: () => {} })
    await vi.advanceTimersByTimeAsync(3 * INTERVAL_MS)
    expect(run).toHaveBeenCalledTimes(1)
    resolve()
    await task.stop()
  })

  it('when stopped aborts the run under way, waits for it, and runs no more', async () => {
    let ended = false
    const run = vi.fn(async (signal: AbortSignal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended = true
    })
    const task = startPeriodicTask({ intervalMs: INTERVAL_MS, run, onError: () => {} })
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS)
    await task.stop()
    expect(ended).toBe(true)
    await vi.advanceTimersByTimeAsync(2 * INTERVAL_MS)
    expect(run).toHaveBeenCalledTimes(1)
  })
})

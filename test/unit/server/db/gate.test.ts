import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGate } from '../../../../src/server/db/gate.ts'

const PATIENCE_MS = 50

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** Sends `names` in, and tells who was started; `end` ends what keeps one of them. */
function openGate(gather: (start: () => void) => unknown = (start) => start()) {
  const gate = createGate(2, PATIENCE_MS, gather)
  const started: string[] = []
  const ends = new Map<string, () => void>()
  const send = (...names: string[]): void => {
    for (const name of names)
      gate.enter(() => {
        started.push(name)
        void gate.stay(new Promise<void>((resolve) => ends.set(name, resolve)))
      })
  }
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.()
    await vi.advanceTimersByTimeAsync(0)
  }
  return { started, send, end }
}

describe('a gate', () => {
  it('lets in one after the other, in the order they came', async () => {
    const { started, send, end } = openGate()
    send('a', 'b', 'c')
    expect(started).toEqual(['a'])
    await end('a')
    expect(started).toEqual(['a', 'b'])
    await end('b')
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('is open again when everybody has left', async () => {
    const { started, send, end } = openGate()
    send('a')
    await end('a')
    send('b')
    expect(started).toEqual(['a', 'b'])
  })

  it('lets the next one in beside one that stays too long, also one that comes later', async () => {
    const waiting = openGate()
    waiting.send('a', 'b')
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1)
    expect(waiting.started).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(1)
    expect(waiting.started).toEqual(['a', 'b'])
    const late = openGate()
    late.send('a')
    await vi.advanceTimersByTimeAsync(PATIENCE_MS)
    late.send('b')
    expect(late.started).toEqual(['a', 'b'])
  })

  it('lets in no more than its places, and goes on beside one that never leaves', async () => {
    const { started, send, end } = openGate()
    send('a', 'b', 'c', 'd')
    await vi.advanceTimersByTimeAsync(10 * PATIENCE_MS)
    expect(started).toEqual(['a', 'b'])
    await end('b')
    expect(started).toEqual(['a', 'b', 'c'])
    await end('c')
    expect(started).toEqual(['a', 'b', 'c', 'd'])
  })

  it('is back to one at a time when the late one has left', async () => {
    const { started, send, end } = openGate()
    send('a', 'b', 'c', 'd')
    await vi.advanceTimersByTimeAsync(PATIENCE_MS)
    await end('a')
    expect(started).toEqual(['a', 'b'])
    await end('b')
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('goes on when what kept somebody fails, which is theirs to handle', async () => {
    const gate = createGate(1, PATIENCE_MS, (start) => start())
    const failed = new Promise<unknown>((resolve) => {
      gate.enter(() => resolve(gate.stay(Promise.reject(new Error('lost'))).catch((error: unknown) => error)))
    })
    expect(await failed).toEqual(new Error('lost'))
    const started = vi.fn()
    gate.enter(started)
    expect(started).toHaveBeenCalledOnce()
  })

  it('holds the others back while one that was let in gathers', async () => {
    const { started, send } = openGate((start) => setTimeout(start, 5))
    send('a', 'b')
    await vi.advanceTimersByTimeAsync(5)
    expect(started).toEqual(['a'])
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OverloadError } from '../../../../src/protocol/overload.ts'
import {
  type HashObserver,
  HashQueue,
  type HashQueueLimits,
} from '../../../../src/server/credential/hash-queue.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A queue whose hashes end when the test says so. */
function startQueue(limits: Partial<HashQueueLimits> = {}, observer: Partial<HashObserver> = {}) {
  const queue = new HashQueue({ atOnce: 2, waiting: 100, waitMs: 2000, ...limits }, observer)
  const started: string[] = []
  const outcomes: string[] = []
  const ends = new Map<string, PromiseWithResolvers<string>>()
  const ask = (name: string): void => {
    const end = Promise.withResolvers<string>()
    ends.set(name, end)
    queue
      .run(() => {
        started.push(name)
        return end.promise
      })
      .then(
        (result) => outcomes.push(`${name} ${result}`),
        (error: unknown) =>
          outcomes.push(`${name} ${error instanceof OverloadError ? error.reason : String(error)}`),
      )
  }
  const settle = () => vi.advanceTimersByTimeAsync(0)
  const end = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      ends.get(name)?.resolve('done')
      await settle()
    }
  }
  const breakDown = async (name: string): Promise<void> => {
    ends.get(name)?.reject(new Error('broke'))
    await settle()
  }
  return { queue, started, outcomes, ask, end, breakDown, settle }
}

describe('the hash queue', () => {
  it('runs as many at once as it may, and the others in the order they came', async () => {
    const { queue, started, ask, end, settle } = startQueue()
    for (const name of ['a', 'b', 'c', 'd']) ask(name)
    await settle()
    expect([started, queue.running, queue.waiting]).toEqual([['a', 'b'], 2, 2])
    await end('b')
    expect([started, queue.running, queue.waiting]).toEqual([['a', 'b', 'c'], 2, 1])
    await end('a', 'c', 'd')
    expect([started, queue.running, queue.waiting]).toEqual([['a', 'b', 'c', 'd'], 0, 0])
  })

  it('refuses at once what is more than may wait, and takes the next one when there is room', async () => {
    const { outcomes, started, ask, end, settle } = startQueue({ waiting: 2 })
    for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name)
    await settle()
    expect(outcomes).toEqual(['e hash_queue_full'])
    await end('a')
    ask('f')
    await end('b', 'c', 'd', 'f')
    expect(started).toEqual(['a', 'b', 'c', 'd', 'f'])
  })

  it('refuses what has waited as long as one may, not a moment before, and serves the others', async () => {
    const { queue, outcomes, started, ask, end } = startQueue({ atOnce: 1 })
    ask('a')
    ask('b')
    await vi.advanceTimersByTimeAsync(1999)
    ask('c')
    expect(outcomes).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect([outcomes, queue.waiting]).toEqual([['b hash_queue_slow'], 1])
    await end('a', 'c')
    expect([started, outcomes]).toEqual([
      ['a', 'c'],
      ['b hash_queue_slow', 'a done', 'c done'],
    ])
    expect([queue.running, queue.waiting, vi.getTimerCount()]).toEqual([0, 0, 0])
  })

  it('goes on after one that fails', async () => {
    const { queue, outcomes, ask, end, breakDown } = startQueue({ atOnce: 1 })
    for (const name of ['a', 'b', 'c']) ask(name)
    await breakDown('a')
    await end('b', 'c')
    expect(outcomes).toEqual(['a Error: broke', 'b done', 'c done'])
    expect([queue.running, queue.waiting]).toEqual([0, 0])
  })

  it('gives a thread to whoever waits, and not to whoever comes as it gets free', async () => {
    const { started, ask, end, settle } = startQueue({ atOnce: 1 })
    ask('a')
    ask('b')
    await settle()
    const ended = end('a')
    ask('c')
    await ended
    expect(started).toEqual(['a', 'b'])
  })

  it('tells how long each waited and took, and what it refused', async () => {
    const onHash = vi.fn()
    const onOverload = vi.fn()
    const { ask, end, breakDown, settle } = startQueue({ atOnce: 1, waiting: 1 }, { onHash, onOverload })
    ask('a')
    ask('b')
    ask('c')
    await settle()
    expect(onOverload.mock.calls).toEqual([['hash_queue_full']])
    await vi.advanceTimersByTimeAsync(30)
    await end('a')
    await vi.advanceTimersByTimeAsync(5)
    await breakDown('b')
    expect(onHash.mock.calls).toEqual([[{ waitedMs: 0, tookMs: 30 }], [{ waitedMs: 30, tookMs: 5 }]])
  })
})

import { describe, expect, it } from 'vitest'
import { type Copy, KeptDocument } from '../../../src/verify/kept-document.ts'

const FRESH_MS = 60_000
const USABLE_MS = 600_000
const TIMEOUT_MS = 5_000
/** From then on a fetch that has not ended is given up. */
const OVERDUE_MS = TIMEOUT_MS + 250

/** A document whose value is how often it was fetched, with a clock and timers that are turned by hand. */
function setUp() {
  const state = {
    nowMs: 1_000_000,
    calls: 0,
    isAway: false,
    hang: undefined as Promise<void> | undefined,
    timers: [] as { readonly at: number; readonly task: () => void }[],
  }
  const document = new KeptDocument<number>({
    fetch: async (): Promise<Copy<number>> => {
      const value = ++state.calls
      await state.hang
      if (state.isAway) throw new Error('away')
      const fetchedAt = state.nowMs
      return { value, fetchedAt, freshUntil: fetchedAt + FRESH_MS, usableUntil: fetchedAt + USABLE_MS }
    },
    timeoutMs: TIMEOUT_MS,
    now: () => new Date(state.nowMs),
    schedule: (task, delayMs) => {
      const timer = { at: state.nowMs + delayMs, task }
      state.timers.push(timer)
      return () => {
        state.timers = state.timers.filter((other) => other !== timer)
      }
    },
  })
  /** Passes time, in which timers go off and what they begin ends. */
  async function pass(durationMs: number): Promise<void> {
    const end = state.nowMs + durationMs
    for (;;) {
      const next = state.timers.toSorted((a, b) => a.at - b.at)[0]
      if (!next || next.at > end) break
      state.timers = state.timers.filter((timer) => timer !== next)
      state.nowMs = next.at
      next.task()
      await document.refresh(Number.POSITIVE_INFINITY)
    }
    state.nowMs = end
  }
  return { state, document, pass, peek: () => document.peek(state.nowMs) }
}

describe('a document', () => {
  it('is not there before it was fetched, and fetched once for all who wait', async () => {
    const { state, document, peek } = setUp()
    expect(peek()).toBeUndefined()
    expect(state.calls).toBe(0)
    expect(await Promise.all([document.get(), document.get(), document.get()])).toEqual([1, 1, 1])
    expect(peek()).toBe(1)
  })

  it('is refreshed five seconds before it is stale, without anybody waiting', async () => {
    const { state, document, pass, peek } = setUp()
    await document.get()
    await pass(54_999)
    expect([peek(), state.calls]).toEqual([1, 1])
    await pass(1)
    expect([peek(), state.calls]).toEqual([2, 2])
  })

  it('is refreshed by whoever uses it where no timer goes off', async () => {
    const { state, document, peek } = setUp()
    await document.get()
    state.nowMs += 55_000
    expect([peek(), state.calls]).toEqual([1, 2])
    await document.refresh(Number.POSITIVE_INFINITY)
    expect(peek()).toBe(2)
  })

  it('is no more refreshed after ten minutes in which nobody used it, and again when somebody does', async () => {
    const { state, document, pass, peek } = setUp()
    await document.get()
    await pass(3_600_000)
    const calls = state.calls
    expect(calls).toBe(11)
    // Nothing is wrong with the issuer: whoever comes gets what holds now.
    expect(peek()).toBeUndefined()
    expect(await document.get()).toBe(calls + 1)
    await pass(55_000)
    expect(state.calls).toBe(calls + 2)
  })

  it('waits for a newer one where the process slept, and does not serve what it had before', async () => {
    const { state, document } = setUp()
    await document.get()
    state.nowMs += FRESH_MS
    expect(await document.get()).toBe(2)
  })

  it('is not refreshed in the background once closed', async () => {
    const { state, document, pass } = setUp()
    await document.get()
    document.close()
    await pass(USABLE_MS)
    expect([state.calls, state.timers]).toEqual([1, []])
    expect(await document.get()).toBe(2)
    expect(state.timers).toEqual([])
  })

  it('is asked for anew when the clock was set back', async () => {
    const { state, document } = setUp()
    await document.get()
    state.nowMs -= 1
    expect(await document.get()).toBe(2)
  })
})

describe('while the issuer is away, a document', () => {
  async function setUpAway() {
    const set = setUp()
    await set.document.get()
    set.state.isAway = true
    return set
  }

  it('serves at once for as long as it may, and not a moment longer', async () => {
    const { document, pass, peek } = await setUpAway()
    for (let passedMs = 0; passedMs < USABLE_MS - 10_000; passedMs += 10_000) {
      await pass(10_000)
      expect(peek()).toBe(1)
    }
    await pass(9_999)
    expect(peek()).toBe(1)
    await pass(1)
    expect(peek()).toBeUndefined()
    expect(await document.get()).toBeUndefined()
    expect(document.failure).toEqual({ cause: new Error('away') })
  })

  it('is asked for every five seconds, however often it is used', async () => {
    const { state, pass, peek } = await setUpAway()
    await pass(FRESH_MS)
    const calls = state.calls
    for (let second = 0; second < 60; second += 1) {
      peek()
      await pass(1_000)
    }
    expect(state.calls - calls).toBe(12)
  })

  it('is there again within five seconds after the issuer is', async () => {
    const { state, document, pass, peek } = await setUpAway()
    await pass(USABLE_MS)
    expect(await document.get()).toBeUndefined()
    state.isAway = false
    await pass(5_000)
    expect(peek()).toBe(state.calls)
    expect(document.failure).toBeUndefined()
  })

  it('keeps only those waiting who come before that is known', async () => {
    const { state, document, peek } = await setUpAway()
    let fail = (): void => {}
    state.hang = new Promise((resolve) => {
      fail = resolve
    })
    state.nowMs += FRESH_MS
    const first = document.get()
    expect(peek()).toBeUndefined()
    fail()
    expect(await first).toBe(1)
    state.hang = new Promise(() => {})
    state.nowMs += 5_000
    expect(await document.get()).toBe(1)
    expect(state.calls).toBe(3)
  })
})

describe('while the issuer does not answer, a document', () => {
  it('is served after a second of waiting, for as long as it may', async () => {
    const { state, document } = setUp()
    await document.get()
    state.hang = new Promise(() => {})
    state.nowMs += FRESH_MS
    const waiting = document.get()
    const [patience] = state.timers.filter(({ at }) => at === state.nowMs + 1_000)
    patience?.task()
    expect(await waiting).toBe(1)
    state.nowMs += USABLE_MS - FRESH_MS
    expect(document.usable).toBeUndefined()
  })
})

describe('where a fetch ends with the request it began in, and no timer of that request goes off, a document', () => {
  async function setUpEnded() {
    const set = setUp()
    await set.document.get()
    set.state.nowMs += FRESH_MS - 1_000
    set.state.hang = new Promise(() => {})
    set.peek()
    expect(set.state.calls).toBe(2)
    set.state.timers = []
    set.state.hang = undefined
    return set
  }

  it('is fetched anew once the time of that fetch is over by the clock', async () => {
    const { state, document, peek } = await setUpEnded()
    state.nowMs += OVERDUE_MS - 1
    expect([peek(), state.calls]).toEqual([1, 2])
    state.nowMs += 1
    expect(await document.get()).toBe(3)
    expect(document.failure).toBeUndefined()
  })

  it('is fetched anew when the clock was set back', async () => {
    const { state, document } = await setUpEnded()
    state.nowMs -= 3_600_000
    expect(await document.get()).toBe(3)
  })

  it('is waited for by the timer of who waits, and for no longer than the fetch may take', async () => {
    const { state, document } = setUp()
    state.hang = new Promise(() => {})
    document.peek(state.nowMs)
    void document.refresh()
    state.timers = []
    state.nowMs += 2_000
    const waiting = document.get()
    const [own] = state.timers
    expect(own?.at).toBe(state.nowMs + OVERDUE_MS - 2_000)
    own?.task()
    expect(await waiting).toBeUndefined()
    expect(document.failure).toMatchObject({ cause: { name: 'TimeoutError' } })
    state.hang = undefined
    state.nowMs += OVERDUE_MS - 2_000
    expect(await document.get()).toBe(2)
  })

  it('is what came last, should that fetch end after all', async () => {
    const { state, document, peek } = setUp()
    let answer = (): void => {}
    state.hang = new Promise((resolve) => {
      answer = resolve
    })
    void document.refresh()
    state.hang = undefined
    state.nowMs += OVERDUE_MS
    expect(await document.get()).toBe(2)
    answer()
    await new Promise((resolve) => setImmediate(resolve))
    expect(peek()).toBe(2)
  })
})

describe('a copy that was kept elsewhere', () => {
  const copyOf = (fetchedAt: number): Copy<number> => ({
    value: 100,
    fetchedAt,
    freshUntil: fetchedAt + FRESH_MS,
    usableUntil: fetchedAt + USABLE_MS,
  })

  it('serves without a fetch, and is refreshed in its time', async () => {
    const { state, document, pass, peek } = setUp()
    expect(document.adopt(copyOf(state.nowMs - 10_000))).toBe(true)
    expect([peek(), state.calls]).toEqual([100, 0])
    await pass(45_000)
    expect([peek(), state.calls]).toEqual([1, 1])
  })

  it('serves when it is stale and the issuer is away', async () => {
    const { state, document } = setUp()
    state.isAway = true
    document.adopt(copyOf(state.nowMs - FRESH_MS))
    expect(await document.get()).toBe(100)
  })

  it('does not take the place of a newer one', async () => {
    const { state, document, peek } = setUp()
    await document.get()
    expect(document.adopt(copyOf(state.nowMs))).toBe(false)
    expect(peek()).toBe(1)
  })
})

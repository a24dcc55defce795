import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFailureCount, createRateLimit, MAX_KEYS } from '../../../../src/server/http/rate-limit.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

const problemOf = (taking: Promise<void>): Promise<unknown> =>
  taking.then(
    () => null,
    (error: unknown) => error,
  )

describe('a rate limit', () => {
  it('lets through as many points as it has, and says of one more how long to wait', async () => {
    const limit = createRateLimit({ points: 3, seconds: 60 })
    await limit.take('192.0.2.1', 2)
    vi.advanceTimersByTime(20_500)
    await limit.take('192.0.2.1')
    expect(await problemOf(limit.take('192.0.2.1'))).toMatchObject({
      code: 'too_many_requests',
      status: 429,
      extra: { retry_after_seconds: 40 },
    })
  })

  it('begins anew after its span, not a moment before', async () => {
    const limit = createRateLimit({ points: 1, seconds: 60 })
    await limit.take('192.0.2.1')
    vi.advanceTimersByTime(59_999)
    expect(await problemOf(limit.take('192.0.2.1'))).toMatchObject({ extra: { retry_after_seconds: 1 } })
    vi.advanceTimersByTime(1)
    await limit.take('192.0.2.1')
  })

  it('refuses at once what is more than it ever has', async () => {
    const limit = createRateLimit({ points: 10, seconds: 60 })
    expect(await problemOf(limit.take('192.0.2.1', 11))).toMatchObject({ code: 'too_many_requests' })
  })

  it.each([
    ['the same IPv4 address', '192.0.2.1', '192.0.2.1', true],
    ['IPv4 addresses next to each other', '192.0.2.1', '192.0.2.2', false],
    ['IPv6 addresses of one /56', '2001:db8::1', '2001:db8:0:ff:ffff:ffff:ffff:ffff', true],
    ['IPv6 addresses of two /56s', '2001:db8::1', '2001:db8:0:100::1', false],
    ['an IPv6 address in two spellings', '2001:DB8:0::1', '2001:db8::1', true],
    ['IPv4 addresses in IPv6 form', '::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['clients that have gone', '', '', true],
  ])('counts %s together or apart', async (_name, one, other, isTogether) => {
    const limit = createRateLimit({ points: 1, seconds: 60 })
    await limit.take(one)
    expect((await problemOf(limit.take(other))) !== null).toBe(isTogether)
  })
})

describe('a count of failures', () => {
  it('makes a key wait once its failures are used up, and says until when', async () => {
    const count = createFailureCount({ points: 2, seconds: 60 })
    expect(await count.add('a')).toBe(false)
    vi.advanceTimersByTime(20_500)
    expect(await count.findWaitSeconds('a')).toBeNull()
    expect(await count.add('a')).toBe(true)
    expect(await count.findWaitSeconds('a')).toBe(40)
    expect(await count.findWaitSeconds('b')).toBeNull()
  })

  it('tells once that they are used up', async () => {
    const count = createFailureCount({ points: 1, seconds: 60 })
    expect([await count.add('a'), await count.add('a'), await count.add('b')]).toEqual([true, false, true])
  })

  it('begins anew when the span of the first failure is over, not a moment before, and forgets the key', async () => {
    const count = createFailureCount({ points: 1, seconds: 60 })
    await count.add('a')
    vi.advanceTimersByTime(59_999)
    await count.add('a')
    expect([await count.findWaitSeconds('a'), vi.getTimerCount()]).toEqual([1, 1])
    vi.advanceTimersByTime(1)
    expect([await count.findWaitSeconds('a'), vi.getTimerCount()]).toEqual([null, 0])
    expect(await count.add('a')).toBe(true)
    expect(await count.findWaitSeconds('a')).toBe(60)
  })

  it('forgets the key it heard of longest ago when there are too many', async () => {
    const count = createFailureCount({ points: 1, seconds: 60 })
    for (let n = 0; n <= MAX_KEYS; n += 1) await count.add(`${n}`)
    expect(vi.getTimerCount()).toBe(MAX_KEYS)
    expect(await count.findWaitSeconds('0')).toBeNull()
    expect(await count.findWaitSeconds('1')).toBe(60)
  })

  it('is quiet until something is counted, and again when every span is over', async () => {
    const count = createFailureCount({ points: 5, seconds: 60 })
    expect(count.isQuiet()).toBe(true)
    await count.add('a')
    vi.advanceTimersByTime(30_000)
    await count.add('b')
    vi.advanceTimersByTime(59_999)
    expect(count.isQuiet()).toBe(false)
    vi.advanceTimersByTime(1)
    expect(count.isQuiet()).toBe(true)
  })

  it('of none is off', async () => {
    const count = createFailureCount({ points: 0, seconds: 60 })
    expect([await count.add('a'), await count.findWaitSeconds('a'), count.isQuiet()]).toEqual([
      false,
      null,
      true,
    ])
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRateLimit } from '../../../../src/server/http/rate-limit.ts'

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
    ['IPv6 addresses of one /64', '2001:db8::1', '2001:db8::ffff:ffff:ffff:ffff', true],
    ['IPv6 addresses of two /64s', '2001:db8::1', '2001:db8:0:1::1', false],
    ['an IPv6 address in two spellings', '2001:DB8:0::1', '2001:db8::1', true],
    ['IPv4 addresses in IPv6 form', '::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['clients that have gone', '', '', true],
  ])('counts %s together or apart', async (_name, one, other, isTogether) => {
    const limit = createRateLimit({ points: 1, seconds: 60 })
    await limit.take(one)
    expect((await problemOf(limit.take(other))) !== null).toBe(isTogether)
  })
})

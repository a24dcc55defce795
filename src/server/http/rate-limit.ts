// How much of something one key may have in a while. The only importer of rate-limiter-flexible; counts stay in this
// process, so that a limit costs no I/O and stands while the database is away.

import { LRUCache } from 'lru-cache'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { clientBlockOf } from '../../protocol/cidr.ts'
import { tooManyRequests } from './problem.ts'

export interface RateLimitOptions {
  readonly points: number
  readonly seconds: number
}

export interface RateLimit {
  /** Counts `points` for the client at `address`; throws `too_many_requests` when they are more than it may have. */
  readonly take: (address: string, points?: number) => Promise<void>
}

/** `points` in each span of `seconds`, which begins with a client's first. */
export function createRateLimit(options: RateLimitOptions): RateLimit {
  const { limiter, touch } = createBoundedLimiter(options)
  return {
    take: async (address, taken = 1) => {
      const key = clientBlockOf(address)
      touch(key)
      try {
        await limiter.consume(key, taken)
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        throw tooManyRequests(toSeconds(refusal.msBeforeNext))
      }
    },
  }
}

export interface FailureCount {
  /** Whether the spans of all keys are over. */
  readonly isQuiet: () => boolean
  /** Seconds until the span of `key` ends, once its failures are used up; null before. */
  readonly findWaitSeconds: (key: string) => Promise<number | null>
  /** Counts a failure; true when it was the last one the span has. */
  readonly add: (key: string) => Promise<boolean>
}

const OFF: FailureCount = { isQuiet: () => true, findWaitSeconds: async () => null, add: async () => false }

/** Counts up to `points` failures of a key in each span of `seconds`, which begins with its first; 0 counts none. */
export function createFailureCount(options: RateLimitOptions): FailureCount {
  if (options.points === 0) return OFF
  const { limiter, touch } = createBoundedLimiter(options)
  let quietAt = 0
  return {
    isQuiet: () => Date.now() >= quietAt,
    findWaitSeconds: async (key) => {
      const found = await limiter.get(key)
      // One whose span is over may still be there.
      const isUsedUp = found !== null && found.consumedPoints >= options.points && found.msBeforeNext > 0
      return isUsedUp ? toSeconds(found.msBeforeNext) : null
    },
    add: async (key) => {
      touch(key)
      quietAt = Date.now() + options.seconds * 1000
      const { consumedPoints } = await limiter.penalty(key)
      return consumedPoints === options.points
    },
  }
}

/** Keys counted at the same time, of a kilobyte each. Whoever has more addresses than this is forgotten bit by bit. */
export const MAX_KEYS = 20_000

/** The store itself keeps whatever keys it is given, until their spans end. */
function createBoundedLimiter({ points, seconds }: RateLimitOptions) {
  const limiter = new RateLimiterMemory({ points, duration: seconds })
  const keys = new LRUCache<string, true>({
    max: MAX_KEYS,
    dispose: (_value, key) => void limiter.delete(key),
  })
  return { limiter, touch: (key: string): void => void keys.set(key, true) }
}

const toSeconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000))

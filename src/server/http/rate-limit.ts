// How much one client may ask of an instance in a while. The only importer of rate-limiter-flexible; counts stay in
// this process, so that a limit costs no I/O and stands while the database is away.

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { clientBlockOf } from '../../protocol/cidr.ts'
import { Problem } from './problem.ts'

export interface RateLimit {
  /** Counts `points` for the client at `address`; throws `too_many_requests` when they are more than it may have. */
  readonly take: (address: string, points?: number) => Promise<void>
}

/** `points` in each span of `seconds`, which begins with a client's first. */
export function createRateLimit({ points, seconds }: { points: number; seconds: number }): RateLimit {
  const limiter = new RateLimiterMemory({ points, duration: seconds })
  return {
    take: async (address, taken = 1) => {
      try {
        await limiter.consume(clientBlockOf(address), taken)
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        const waitSeconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
        throw new Problem('too_many_requests', undefined, { retry_after_seconds: waitSeconds })
      }
    },
  }
}

// How much one client may report as leaked to one instance: nobody signs in for it, and every report costs hashes.

import { createRateLimit, type RateLimit } from '../http/rate-limit.ts'

export const REPORTS = { points: 30, seconds: 60 }
export const REPORTED_CREDENTIALS = { points: 10_000, seconds: 60 }

export interface LeakLimits {
  readonly reports: RateLimit
  readonly credentials: RateLimit
}

export const createLeakLimits = (): LeakLimits => ({
  reports: createRateLimit(REPORTS),
  credentials: createRateLimit(REPORTED_CREDENTIALS),
})

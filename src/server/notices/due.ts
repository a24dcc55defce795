// Who is to be told, and how near the end is: decided from what is known of a credential, without a clock or a row.

const DAY_MS = 86_400_000

/** The end of a credential by agreement or policy. */
export interface Ending {
  readonly at: Date
  readonly cause: 'expires_at' | 'max_lifetime' | 'idle_timeout'
  /** Since when it was bound to end then: its creation, or the last use where it is idle time that ends it. */
  readonly since: Date
}

/** The UTC day of an instant, as RFC 3339 writes it. What moves within its day is the same end. */
export const dayOf = (instant: Date): string => instant.toISOString().slice(0, 10)

/**
 * The threshold at `now`, of those in `days` (the nearest first): of several that are passed the nearest, so that nobody is
 * told twice at once. `null` when there is none yet, and where a notice would say what was clear from the start: by a
 * threshold that is no shorter than the whole life, or longer than half of an idle time.
 */
export function findThreshold(
  { at, cause, since }: Ending,
  days: readonly number[],
  now: Date,
): number | null {
  const leftMs = at.getTime() - now.getTime()
  const wholeMs = at.getTime() - since.getTime()
  const nearest = days.find((threshold) => leftMs <= threshold * DAY_MS)
  if (leftMs <= 0 || nearest === undefined) return null
  const isNews = cause === 'idle_timeout' ? nearest * DAY_MS * 2 <= wholeMs : nearest * DAY_MS < wholeMs
  return isNews ? nearest : null
}

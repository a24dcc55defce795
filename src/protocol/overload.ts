// The fault that passes by itself: there is more to do than the process can, and what is refused now succeeds later.

export const OVERLOAD_REASONS = [
  /** As many hashes wait as may, for all credentials or for this one. */
  'hash_queue_full',
  /** A hash has waited as long as one may. */
  'hash_queue_slow',
  'too_many_in_flight',
] as const
export type OverloadReason = (typeof OVERLOAD_REASONS)[number]

/** Leaves as 503 `temporarily_unavailable` with `Retry-After`, and never as a refusal: nothing was judged. */
export class OverloadError extends Error {
  readonly reason: OverloadReason

  constructor(reason: OverloadReason) {
    super(reason)
    this.reason = reason
  }
}

// Percentiles by nearest rank: always a latency that was measured, never one in between.

/** The smallest value that at least `percent` of them do not exceed; NaN of nothing. Needs ascending values. */
export function percentile(ascending: ArrayLike<number>, percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * ascending.length))
  return ascending[rank - 1] ?? Number.NaN
}

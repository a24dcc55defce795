// Whether two samples come from one distribution, asked without assuming which (Mann and Whitney's rank-sum test).

export interface Comparison {
  readonly medians: readonly [number, number]
  /** How often a value of the second sample is the greater one: 0.5 when nobody can tell them apart. */
  readonly probability: number
  /** Standard deviations that the ranks lie from what chance gives. */
  readonly z: number
}

export function compareSamples(one: readonly number[], other: readonly number[]): Comparison {
  const ranked = [
    ...one.map((value) => ({ value, isOther: false })),
    ...other.map((value) => ({ value, isOther: true })),
  ]
  ranked.sort((a, b) => a.value - b.value)
  const rankSum = ranked.reduce((sum, { isOther }, index) => (isOther ? sum + index + 1 : sum), 0)
  const [n, m] = [one.length, other.length]
  const u = rankSum - (m * (m + 1)) / 2
  const deviation = Math.sqrt((n * m * (n + m + 1)) / 12)
  return {
    medians: [medianOf(one), medianOf(other)],
    probability: u / (n * m),
    z: (u - (n * m) / 2) / deviation,
  }
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

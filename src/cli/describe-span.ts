// Spans of time for people, in the largest unit that fits: what is left of something, and how long ago something was.

const UNITS = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** Whole units, rounded down: `13 days`, `1 hour`; `less than a minute`. */
export function describeSpan(seconds: number): string {
  for (const [unit, length] of UNITS) {
    const count = Math.floor(seconds / length)
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'}`
  }
  return 'less than a minute'
}

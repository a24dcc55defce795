// Durations as people write them in configuration and on the command line: `15m`, `12h`, `90d`.

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const FORMAT = /^(\d{1,9})([smhd])$/

/** Seconds in a duration such as `90d`; `undefined` when it is not one. */
export function parseDurationSeconds(text: string): number | undefined {
  const match = FORMAT.exec(text)
  if (!match) return undefined
  return Number(match[1]) * UNIT_SECONDS[match[2] as keyof typeof UNIT_SECONDS]
}

/** `seconds` in the largest unit that leaves no rest: `90d`, `36h`, `61s`. */
export function formatDuration(seconds: number): string {
  const unit =
    (['d', 'h', 'm'] as const).find((one) => seconds > 0 && seconds % UNIT_SECONDS[one] === 0) ?? 's'
  return `${seconds / UNIT_SECONDS[unit]}${unit}`
}

// When requests arrive, decided beforehand: a fixed rate that does not wait for answers.

export interface Schedule {
  /** Time between two ticks, in milliseconds. */
  readonly tickMs: number
  /** How many requests arrive at a tick, counted from 0. */
  readonly arrivalsAt: (tick: number) => number
}

/** A thread can be woken this often without costing much of a core; what is due in between arrives together. */
const SHORTEST_TICK_MS = 1
/** What division leaves of a whole number must not become the number below it. */
const ROUNDING = 1e-9

/** Even arrivals at this rate: one per tick, or several where ticks would come too fast. */
export function planArrivals(perSecond: number): Schedule {
  const tickMs = Math.max(SHORTEST_TICK_MS, 1000 / perSecond)
  const perTick = (perSecond * tickMs) / 1000
  const before = (tick: number): number => Math.floor(tick * perTick + ROUNDING)
  return { tickMs, arrivalsAt: (tick) => before(tick + 1) - before(tick) }
}

import { describe, expect, it } from 'vitest'
import { dayOf, type Ending, findThreshold } from '../../../../src/server/notices/due.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const DAY_MS = 86_400_000
const DAYS = [1, 7, 30]

const inDays = (days: number, seconds = 0): Date => new Date(NOW.getTime() + days * DAY_MS + seconds * 1000)

/** An end so many days from now, of something made a year ago. */
const ending = (days: number, seconds = 0): Ending => ({
  at: inDays(days, seconds),
  cause: 'expires_at',
  since: inDays(-365),
})

describe('the threshold that is due', () => {
  it.each(DAYS)('of %i days is so from its very second on, and not a second before', (days) => {
    const further = DAYS.find((one) => one > days) ?? null
    expect(findThreshold(ending(days, 1), DAYS, NOW)).toBe(further)
    expect(findThreshold(ending(days), DAYS, NOW)).toBe(days)
  })

  it.each([
    [0.5, 1],
    [3, 7],
    [20, 30],
  ])('is the nearest of those that are passed: %d days before the end that of %i', (left, days) => {
    expect(findThreshold(ending(left), DAYS, NOW)).toBe(days)
  })

  it('does not exist at the end, nor after it', () => {
    expect(findThreshold(ending(0, 1), DAYS, NOW)).toBe(1)
    expect(findThreshold(ending(0), DAYS, NOW)).toBeNull()
    expect(findThreshold(ending(-1), DAYS, NOW)).toBeNull()
  })

  it.each(DAYS)('of %i days does not exist for what was made for no longer', (days) => {
    const madeFor = (seconds: number): Ending => ({ ...ending(days), since: inDays(0, -seconds) })
    expect(findThreshold(madeFor(0), DAYS, NOW)).toBeNull()
    expect(findThreshold(madeFor(1), DAYS, NOW)).toBe(days)
  })

  it.each([
    [90, [30, 7, 1]],
    [30, [7, 1]],
    [20, [7, 1]],
    [7, [1]],
    [1, []],
  ])(
    'is met, in a life of %i days, by each of those that are shorter, and at its birth by none',
    (life, met) => {
      const metWith = (left: number): number | null =>
        findThreshold({ ...ending(left), since: inDays(left - life) }, DAYS, NOW)
      expect(metWith(life)).toBeNull()
      const instants = Array.from({ length: life * 4 - 1 }, (_, index) => metWith(life - (index + 1) / 4))
      expect([...new Set(instants)].filter((days) => days !== null)).toEqual(met)
    },
  )
})

describe('an end by idle time', () => {
  const idle = (left: number, unused: number, seconds = 0): Ending => ({
    at: inDays(left),
    cause: 'idle_timeout',
    since: inDays(-unused, seconds),
  })

  it('is not told of before half of the time has passed, so that who uses it daily hears nothing', () => {
    expect(findThreshold(idle(8, 2), DAYS, NOW)).toBeNull()
    expect(findThreshold(idle(7, 3), DAYS, NOW)).toBeNull()
    expect(findThreshold(idle(1, 9), DAYS, NOW)).toBe(1)
  })

  it('is told of by a threshold of half of it, and by none that is longer', () => {
    expect(findThreshold(idle(7, 7), DAYS, NOW)).toBe(7)
    expect(findThreshold(idle(7, 7, 1), DAYS, NOW)).toBeNull()
  })
})

describe('the day of an end', () => {
  it('is that of UTC', () => {
    expect(dayOf(new Date('2026-03-01T23:59:59.999Z'))).toBe('2026-03-01')
    expect(dayOf(new Date('2026-03-02T00:00:00Z'))).toBe('2026-03-02')
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDurationSeconds } from '../../../src/protocol/duration.ts'

describe('parseDurationSeconds', () => {
  it.each([
    ['0s', 0],
    ['45s', 45],
    ['15m', 900],
    ['12h', 43_200],
    ['90d', 7_776_000],
    ['007d', 604_800],
    ['999999999s', 999_999_999],
    ['999999999d', 86_399_999_913_600],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(parseDurationSeconds(text)).toBe(seconds)
  })

  it.each([
    '',
    '15',
    'm',
    '-5m',
    '+5m',
    '1.5h',
    '1e3s',
    ' 5m',
    '5m ',
    '5 m',
    '5m\n',
    '5M',
    '5w',
    '5ms',
    '1h30m',
    '٣d',
    '1000000000s',
  ])('refuses %j', (text) => {
    expect(parseDurationSeconds(text)).toBeUndefined()
  })

  it('counts the same time in every unit', () => {
    fc.assert(
      fc.property(fc.nat(10_000), (days) => {
        const inUnits = [`${days}d`, `${days * 24}h`, `${days * 1440}m`, `${days * 86_400}s`]
        expect(inUnits.map(parseDurationSeconds)).toEqual(Array(4).fill(days * 86_400))
      }),
    )
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [59, '59s'],
    [60, '1m'],
    [90, '90s'],
    [3600, '1h'],
    [5400, '90m'],
    [86_400, '1d'],
    [129_600, '36h'],
    [7_776_000, '90d'],
    [7_776_001, '7776001s'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text)
  })

  it('is read back as the same time', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), (seconds) => {
        expect(parseDurationSeconds(formatDuration(seconds))).toBe(seconds)
      }),
    )
  })
})

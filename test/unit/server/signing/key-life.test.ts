import { describe, expect, it } from 'vitest'
import {
  activationOf,
  goneAfter,
  isRotationDue,
  type KeyLife,
  stateOf,
} from '../../../../src/server/signing/key-life.ts'
import { fromNow, NOW } from './key-fixture.ts'

const TIMINGS = { jwksMaxAgeSeconds: 300, pollSeconds: 10 }
const DAY = 86_400

const activatesAt = activationOf(NOW, TIMINGS)
const retiresAt = fromNow(30 * DAY)
const key: KeyLife = {
  publishedAt: NOW,
  activatesAt,
  retiresAt,
  goneAt: goneAfter(retiresAt, TIMINGS),
  withdrawnAt: null,
}
const secondsAfter = (instant: Date, seconds: number): Date => new Date(instant.getTime() + seconds * 1000)
/** One second before an instant, at it, and one after. */
const statesAround = (instant: Date | null, of: KeyLife = key): string[] =>
  [-1, 0, 1].map((seconds) => stateOf(of, secondsAfter(instant ?? NOW, seconds)))

describe('the state of a key', () => {
  it('becomes active when it activates', () => {
    expect(statesAround(key.activatesAt)).toEqual(['published', 'active', 'active'])
  })

  it('becomes retired when it retires', () => {
    expect(statesAround(key.retiresAt)).toEqual(['active', 'retired', 'retired'])
  })

  it('becomes gone when nobody needs it any more', () => {
    expect(statesAround(key.goneAt)).toEqual(['retired', 'gone', 'gone'])
  })

  it('stays active without a successor', () => {
    const only = { ...key, retiresAt: null, goneAt: null }
    expect(stateOf(only, fromNow(3650 * DAY))).toBe('active')
  })

  it('is gone once it was withdrawn, by every clock', () => {
    const withdrawn = { ...key, withdrawnAt: fromNow(DAY) }
    expect(statesAround(fromNow(DAY), withdrawn)).toEqual(['gone', 'gone', 'gone'])
  })
})

describe('a key that is published', () => {
  it('signs once the oldest JWKS without it has expired: after max-age, three looks and the skew of clocks', () => {
    expect(activatesAt).toEqual(fromNow(300 + 3 * 10 + 30))
  })

  it('waits as much longer as verifiers keep the JWKS longer', () => {
    expect(activationOf(NOW, { ...TIMINGS, jwksMaxAgeSeconds: 3600 })).toEqual(fromNow(3600 + 60))
  })
})

describe('a key that signs no more', () => {
  it('stays until the longest token has expired, then as long as verifiers may keep the JWKS', () => {
    expect(goneAfter(NOW, TIMINGS)).toEqual(fromNow(3600 + 300 + 60))
  })
})

describe('a rotation', () => {
  const old = { activatesAt: fromNow(-30 * DAY) }
  const dueAt = (seconds: number, keys = [old]): boolean => isRotationDue(keys, fromNow(seconds), 30 * DAY)

  it('is due when the key has signed for as long as a key may', () => {
    expect([-1, 0, 1].map((seconds) => dueAt(seconds))).toEqual([false, true, true])
  })

  it('is not due while there is a younger key, published or active', () => {
    expect(dueAt(0, [old, { activatesAt: fromNow(360) }])).toBe(false)
    expect(dueAt(0, [old, { activatesAt: fromNow(-1) }])).toBe(false)
  })
})

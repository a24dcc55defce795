import { describe, expect, it } from 'vitest'
import { KeySet } from '../../../../src/server/signing/key-set.ts'
import { buildRow, fromNow, NOW } from './key-fixture.ts'

describe('the key that signs', () => {
  const keys = new KeySet(
    [buildRow('old', fromNow(-1)), buildRow('new', NOW), buildRow('next', fromNow(1))],
    new Map(),
  )
  const currentAt = (seconds: number): string => keys.current('ES256', fromNow(seconds)).kid

  it('is the one activated last, from that millisecond on', () => {
    expect([-0.001, 0, 0.999, 1].map(currentAt)).toEqual(['old', 'new', 'new', 'next'])
  })

  it('is one of the algorithm that is asked for', () => {
    const mixed = new KeySet(
      [buildRow('ec', fromNow(-2), 'ES256'), buildRow('rsa', fromNow(-1), 'RS256')],
      new Map(),
    )
    expect(mixed.current('ES256', NOW).kid).toBe('ec')
    expect(mixed.current('RS256', NOW).kid).toBe('rsa')
  })

  it('must exist: a set without one is a fault', () => {
    expect(() => keys.current('EdDSA', NOW)).toThrow('no signing key for EdDSA')
  })

  it('is the oldest by a clock that is behind the one of whoever made the keys', () => {
    expect(currentAt(-100)).toBe('old')
  })

  it('is by such a clock the next one rather than one that is retired', () => {
    const retired = { ...buildRow('retired', fromNow(-9)), retiresAt: fromNow(-5), goneAt: fromNow(9) }
    const replaced = new KeySet([retired, buildRow('replacement', fromNow(1))], new Map())
    expect(replaced.current('ES256', NOW).kid).toBe('replacement')
  })

  it('is one whose time is over where there is no other', () => {
    const retired = { ...buildRow('retired', fromNow(-9)), retiresAt: fromNow(-5), goneAt: fromNow(9) }
    expect(new KeySet([retired], new Map()).current('ES256', NOW).kid).toBe('retired')
  })

  it('must be there with its private half: else it is a fault', () => {
    expect(() => keys.signer('ES256', NOW)).toThrow('no private key for new')
  })
})

describe('the published set', () => {
  it('holds every key, those that do not sign yet too, and nothing sealed', () => {
    const keys = new KeySet([buildRow('new', NOW), buildRow('next', fromNow(1))], new Map())
    expect(keys.publicJwks).toEqual({
      keys: [
        { kid: 'new', alg: 'ES256', use: 'sig' },
        { kid: 'next', alg: 'ES256', use: 'sig' },
      ],
    })
  })
})

import { describe, expect, it } from 'vitest'
import type { SigningAlgorithm } from '../../../../src/protocol/access-token.ts'
import { KeyRing } from '../../../../src/server/signing/key-ring.ts'
import type { SigningKeyRow } from '../../../../src/server/signing/store.ts'

const NOW = new Date('2026-03-01T12:00:00.000Z')
const fromNow = (ms: number): Date => new Date(NOW.getTime() + ms)

const buildRow = (kid: string, activatesAt: Date, alg: SigningAlgorithm = 'ES256'): SigningKeyRow => ({
  kid,
  alg,
  publicJwk: { kid, alg, use: 'sig' },
  privateKeyJwe: `sealed ${kid}`,
  publishedAt: activatesAt,
  activatesAt,
})

describe('the key that signs', () => {
  const ring = new KeyRing(
    [buildRow('old', fromNow(-1000)), buildRow('new', NOW), buildRow('next', fromNow(1000))],
    [],
    new Map(),
  )

  it('is the one activated last, from that millisecond on', () => {
    expect(ring.signingKid('ES256', fromNow(-1))).toBe('old')
    expect(ring.signingKid('ES256', NOW)).toBe('new')
    expect(ring.signingKid('ES256', fromNow(999))).toBe('new')
    expect(ring.signingKid('ES256', fromNow(1000))).toBe('next')
  })

  it('is one of the algorithm that is asked for', () => {
    const mixed = new KeyRing(
      [buildRow('ec', fromNow(-2), 'ES256'), buildRow('rsa', fromNow(-1), 'RS256')],
      [],
      new Map(),
    )
    expect(mixed.signingKid('ES256', NOW)).toBe('ec')
    expect(mixed.signingKid('RS256', NOW)).toBe('rsa')
  })

  it('must exist: a ring without one is a fault', () => {
    expect(() => ring.signingKid('EdDSA', NOW)).toThrow('no signing key for EdDSA')
  })

  it('is the oldest by a clock that is behind the one of whoever made the keys', () => {
    expect(ring.signingKid('ES256', fromNow(-100_000))).toBe(ring.publicJwks.keys[0]?.['kid'])
  })
})

describe('the published set', () => {
  it('holds every key of the ring, those that do not sign yet too, and nothing sealed', () => {
    const ring = new KeyRing(
      [buildRow('new', NOW), buildRow('next', fromNow(1000))],
      [{ kid: 'new', d: 'private' }],
      new Map(),
    )
    expect(ring.publicJwks).toEqual({
      keys: [
        { kid: 'new', alg: 'ES256', use: 'sig' },
        { kid: 'next', alg: 'ES256', use: 'sig' },
      ],
    })
  })
})

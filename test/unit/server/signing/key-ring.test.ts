import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { KeyRing, type LoadKeys } from '../../../../src/server/signing/key-ring.ts'
import { KeySet } from '../../../../src/server/signing/key-set.ts'
import { buildRow, NOW } from './key-fixture.ts'

const setOf = (...kids: string[]): KeySet =>
  new KeySet(
    kids.map((kid) => buildRow(kid, NOW)),
    new Map(),
  )
const kidsOf = (ring: KeyRing): unknown[] => ring.publicJwks.keys.map(({ kid }) => kid)

describe('a ring that is followed', () => {
  it('publishes what was read last', async () => {
    const ring = new KeyRing(setOf('old'), async () => setOf('old', 'new'))
    await ring.follow()
    expect(kidsOf(ring)).toEqual(['old', 'new'])
  })

  it('keeps its keys when they cannot be read, says so, and reads again', async () => {
    const answers: (() => Promise<KeySet>)[] = [
      () => Promise.reject(new Error('away')),
      async () => setOf('new'),
    ]
    const ring = new KeyRing(
      setOf('old'),
      () => answers.shift()?.() ?? Promise.reject(new Error('asked again')),
    )
    await expect(ring.follow()).rejects.toThrow('away')
    expect(kidsOf(ring)).toEqual(['old'])
    await ring.follow()
    expect(kidsOf(ring)).toEqual(['new'])
  })

  it('reads once at a time: what was asked for first never replaces what was asked for later', async () => {
    const first = Promise.withResolvers<KeySet>()
    const answers = [first.promise, Promise.resolve(setOf('second'))]
    let asked = 0
    const load: LoadKeys = () => answers[asked++] ?? Promise.reject(new Error('asked again'))
    const ring = new KeyRing(setOf('old'), load)
    const both = Promise.all([ring.follow(), ring.follow()])
    await setImmediate()
    expect(asked).toBe(1)
    first.resolve(setOf('first'))
    await both
    expect(kidsOf(ring)).toEqual(['second'])
  })

  it('hands over the keys it knows, so that none is unsealed twice', async () => {
    const known = setOf('old')
    const handed: KeySet[] = []
    const ring = new KeyRing(known, async (set) => {
      handed.push(set)
      return setOf('new')
    })
    await ring.follow()
    expect(handed).toEqual([known])
  })
})

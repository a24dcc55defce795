import { describe, expect, it } from 'vitest'
import { SpentProofs } from '../../../src/verify/spent-proofs.ts'
import { catchRefusal } from './issuer-fixture.ts'

function setUp(limit = 10) {
  const state = { nowMs: 1_000_000 }
  const spent = new SpentProofs(limit, () => new Date(state.nowMs))
  return { state, note: (id: string) => spent.noteOnce(id, 60) }
}

describe('the memory of proofs', () => {
  it('lets each pass once, for as long as it is told and not a moment longer', () => {
    const { state, note } = setUp()
    expect([note('a'), note('a'), note('b')]).toEqual([true, false, true])
    state.nowMs += 59_999
    expect(note('a')).toBe(false)
    state.nowMs += 1
    expect(note('a')).toBe(true)
  })

  it('refuses what is beyond its limit, and forgets nothing that still counts', async () => {
    const { state, note } = setUp(2)
    note('a')
    state.nowMs += 1_000
    note('b')
    const error = await catchRefusal(() => note('c'))
    expect([error.code, error.status, error.retryAfterSeconds]).toEqual(['replay_memory_full', 503, 5])
    expect([note('a'), note('b')]).toEqual([false, false])
    state.nowMs += 59_000
    expect([note('c'), note('b')]).toEqual([true, false])
  })
})

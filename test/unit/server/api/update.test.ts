import { describe, expect, it } from 'vitest'
import { findDifference, mergeChanges } from '../../../../src/server/api/update.ts'

const BEFORE = { name: 'a', audiences: ['x'] as string[] | null }

describe('an update', () => {
  it('leaves what it does not name, and takes null for what it says', () => {
    expect(mergeChanges(BEFORE, { name: 'b' })).toEqual({ name: 'b', audiences: ['x'] })
    expect(mergeChanges(BEFORE, { name: undefined, audiences: null })).toEqual({ name: 'a', audiences: null })
  })

  it('tells what differs, by value, as it was and as it is', () => {
    expect(findDifference(BEFORE, { ...BEFORE, audiences: ['x'] })).toBeNull()
    expect(findDifference(BEFORE, { ...BEFORE, audiences: ['x', 'y'] })).toEqual({
      before: { audiences: ['x'] },
      after: { audiences: ['x', 'y'] },
    })
  })
})

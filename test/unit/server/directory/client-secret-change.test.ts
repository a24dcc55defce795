import { describe, expect, it } from 'vitest'
import {
  listAcceptedHashes,
  overlapEndOf,
  replaceSecretHash,
} from '../../../../src/server/directory/client-secret-change.ts'

const NOW = new Date('2026-03-01T12:00:00Z')
const END = new Date('2026-03-01T12:01:00Z')
const JUST_BEFORE = new Date(END.getTime() - 1)
const NONE = { secretHash: null, previousSecretHash: null, previousSecretUntil: null }

describe('a secret that was replaced', () => {
  const overlapping = replaceSecretHash('old', 'new', 60, NOW)

  it('works until its overlap ends, and not at its end', () => {
    expect(overlapEndOf(overlapping, JUST_BEFORE)).toEqual(END)
    expect(listAcceptedHashes(overlapping, JUST_BEFORE)).toEqual(['new', 'old'])
    expect(overlapEndOf(overlapping, END)).toBeNull()
    expect(listAcceptedHashes(overlapping, END)).toEqual(['new'])
  })

  it('without an overlap is forgotten at once', () => {
    const replaced = { secretHash: 'new', previousSecretHash: null, previousSecretUntil: null }
    expect(replaceSecretHash('old', 'new', 0, NOW)).toEqual(replaced)
  })

  it('ends the one that stood before it', () => {
    const again = replaceSecretHash('new', 'newer', 60, NOW)
    expect(listAcceptedHashes(again, NOW)).toEqual(['newer', 'new'])
  })
})

it('accepts nothing of a client without a secret', () => {
  expect(listAcceptedHashes(NONE, NOW)).toEqual([])
  expect(overlapEndOf(NONE, NOW)).toBeNull()
})

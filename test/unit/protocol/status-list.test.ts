import { describe, expect, it } from 'vitest'
import { referToStatus } from '../../../src/protocol/status-list.ts'

describe('the reference of a token', () => {
  it.each([
    [0, 0, 0],
    [1, 0, 1],
    [1_048_575, 0, 1_048_575],
    [1_048_576, 1, 0],
    [2_097_153, 2, 1],
  ])('with status index %i leads to list %i, entry %i', (statusIndex, list, idx) => {
    expect(referToStatus('https://sts.example.com', statusIndex)).toEqual({
      idx,
      uri: `https://sts.example.com/oauth2/status-lists/${list}`,
    })
  })
})

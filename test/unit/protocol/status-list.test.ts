import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ENTRIES_PER_LIST, encodeStatusList, referToStatus } from '../../../src/protocol/status-list.ts'
import { VECTORS } from './status-list-vectors.ts'

const inflate = (lst: string): Buffer => inflateSync(Buffer.from(lst, 'base64url'))

describe('a status list', () => {
  it.each(VECTORS)('has the bytes of the draft: $size statuses of $bits bits', async (vector) => {
    const { size, bits, statuses, lst } = vector
    const encoded = await encodeStatusList(size, bits, statuses)
    expect(encoded.bits).toBe(bits)
    expect(encoded.lst).toMatch(/^[\w-]+$/)
    // Compressors differ in what they make of the same bytes.
    const bytes = inflate(encoded.lst)
    expect(bytes).toHaveLength(Math.ceil((size * bits) / 8))
    expect(bytes.equals(inflate(lst))).toBe(true)
  })

  it('counts the last status of an index, also where it has fewer bits', async () => {
    const { lst } = await encodeStatusList(8, 2, [
      [1, 3],
      [5, 2],
      [1, 1],
      [2, 2],
      [2, 0],
    ])
    expect([...inflate(lst)]).toEqual([0b0100, 0b1000])
  })

  it('of a million credentials that all work takes less than a kilobyte', async () => {
    const { lst } = await encodeStatusList(ENTRIES_PER_LIST, 2, [])
    expect(lst.length).toBeLessThan(1024)
  })
})

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

import { inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ENTRIES_PER_LIST } from '../../../../src/protocol/status-list.ts'
import { encodeStatusList } from '../../../../src/server/status/encode-status-list.ts'
import { VECTORS } from '../../../support/status-list-vectors.ts'

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

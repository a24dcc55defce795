import { beforeEach, describe, expect, it } from 'vitest'
import { createPretendComparison } from '../../../../src/server/credential/pretend-comparison.ts'
import type { PretendComparison } from '../../../../src/server/credential/verify.ts'
import { makeCredential } from '../../protocol/credential-fixture.ts'

const pat = makeCredential()
const hashes = { running: 0 }
const requests = { size: 0 }
let nowMs: number
let compared: number
let pretend: PretendComparison

beforeEach(() => {
  hashes.running = 0
  requests.size = 1
  nowMs = 7000
  compared = 0
  const compareWithNothing = async (): Promise<void> => {
    compared += 1
  }
  pretend = createPretendComparison({ compareWithNothing }, { hashes, requests, nowMs: () => nowMs })
})

describe('a comparison for an unknown id', () => {
  it('is made each time while hardly anybody else is there', async () => {
    requests.size = 2
    for (let made = 0; made < 100; made++) await pretend(pat)
    expect(compared).toBe(100)
  })

  it('is made every 10 ms among many', async () => {
    requests.size = 3
    await pretend(pat)
    nowMs += 9
    await pretend(pat)
    expect(compared).toBe(1)
    nowMs += 1
    await pretend(pat)
    expect(compared).toBe(2)
  })

  it('is not made while another hash is under way', async () => {
    hashes.running = 1
    await pretend(pat)
    expect(compared).toBe(0)
  })
})

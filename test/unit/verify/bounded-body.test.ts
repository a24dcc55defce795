import { describe, expect, it } from 'vitest'
import { readBoundedText } from '../../../src/verify/bounded-body.ts'

const streamOf = (...chunks: Uint8Array[]) => new Response(ReadableStream.from(chunks))

describe('readBoundedText', () => {
  it('reads a body of exactly the limit, counted in bytes', async () => {
    expect(await readBoundedText(new Response('añb'), 4)).toBe('añb')
  })

  it('refuses one byte more', async () => {
    const expected = new RangeError('the response is longer than 3 bytes')
    await expect(readBoundedText(new Response('añb'), 3)).rejects.toThrow(expected)
  })

  it('puts characters together that arrive in two pieces', async () => {
    const bytes = new TextEncoder().encode('ñ')
    expect(await readBoundedText(streamOf(bytes.subarray(0, 1), bytes.subarray(1)), 10)).toBe('ñ')
  })

  it('refuses bytes that are not UTF-8, also at the end', async () => {
    await expect(readBoundedText(streamOf(Uint8Array.of(0xff, 0x41)), 10)).rejects.toThrow(TypeError)
    await expect(readBoundedText(streamOf(Uint8Array.of(0x41, 0xc3)), 10)).rejects.toThrow(TypeError)
  })

  it('reads a response without a body as nothing', async () => {
    expect(await readBoundedText(new Response(null), 10)).toBe('')
  })

  it('cancels the rest of a body that is too long', async () => {
    let canceled = false
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(8)),
      cancel: () => {
        canceled = true
      },
    })
    await expect(readBoundedText(new Response(body), 10)).rejects.toThrow(RangeError)
    expect(canceled).toBe(true)
  })
})

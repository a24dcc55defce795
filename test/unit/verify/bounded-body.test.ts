import { deflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { inflateBounded, readBoundedText } from '../../../src/verify/bounded-body.ts'

const streamOf = (...chunks: Uint8Array[]) => new Response(ReadableStream.from(chunks))

describe('readBoundedText', () => {
  it('reads a body of exactly the limit, counted in bytes', async () => {
    expect(await readBoundedText(new Response('añb'), 4)).toBe('añb')
  })

  it('refuses one byte more', async () => {
    const expected = new RangeError('there is more than 3 bytes of it')
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

describe('inflateBounded', () => {
  const pack = (length: number) => new Uint8Array(deflateSync(Buffer.alloc(length, 7)))

  it('unpacks exactly as much as it may, and not a byte more', async () => {
    expect(await inflateBounded(pack(1000), 1000)).toEqual(new Uint8Array(1000).fill(7))
    await expect(inflateBounded(pack(1001), 1000)).rejects.toThrow(
      new RangeError('there is more than 1000 bytes of it'),
    )
  })

  it('does not unpack a bomb', async () => {
    const bomb = pack(512 * 1024 * 1024)
    expect(bomb.length).toBeLessThan(1024 * 1024)
    const before = process.memoryUsage().arrayBuffers
    await expect(inflateBounded(bomb, 1024 * 1024)).rejects.toThrow(RangeError)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
  })

  it.each([
    ['cut off', pack(1000).subarray(0, -5)],
    ['followed by something else', Uint8Array.of(...pack(10), 7)],
    ['damaged', pack(1000).with(-1, 255)],
    ['of another format', Uint8Array.of(1, 2, 3)],
  ])('fails on what is %s', async (_name, bytes) => {
    await expect(inflateBounded(new Uint8Array(bytes), 2000)).rejects.toThrow(TypeError)
  })
})

// Reads what somebody else wrote without trusting it to be small.

/** All of a stream. Throws when it is longer than `maxBytes` or breaks off. */
export async function readBounded(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop cancels the rest.
  for await (const chunk of stream) {
    length += chunk.length
    if (length > maxBytes) throw new RangeError(`there is more than ${maxBytes} bytes of it`)
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** Body of a response as UTF-8. Throws when it is longer than `maxBytes`, is not UTF-8, or breaks off. */
export const readBoundedText = async ({ body }: Response, maxBytes: number): Promise<string> =>
  body === null ? '' : new TextDecoder('utf-8', { fatal: true }).decode(await readBounded(body, maxBytes))

/** What zlib (RFC 1950) packed into `bytes`. Throws when it is longer than `maxBytes`, damaged, or not at its end. */
export function inflateBounded(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))
  return readBounded(unpacked, maxBytes)
}

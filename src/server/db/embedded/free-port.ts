// A TCP port of the loopback address that nobody listens on.

import { createServer } from 'node:net'

/** Free a moment ago: whoever asks at the same time may get it first. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string')
    throw new TypeError('A TCP listener has an address and a port')
  return address.port
}

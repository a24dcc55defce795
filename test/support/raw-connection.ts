// A connection to a server, byte for byte: for clients that are slow, silent or endless.

import { connect } from 'node:net'

export interface RawConnection {
  readonly send: (text: string) => void
  /** All that has arrived so far. */
  readonly received: () => string
  /** Resolves with all that arrived, once the server has closed the connection. */
  readonly closed: Promise<string>
  /** Stops reading what arrives. */
  readonly pause: () => void
  readonly close: () => void
}

export async function openConnection(serverUrl: string): Promise<RawConnection> {
  const { hostname, port } = new URL(serverUrl)
  const socket = connect({ host: hostname, port: Number(port) })
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  // What a server closes while more is sent ends as an error as well.
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)))
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return {
    send: (sent) => void socket.write(sent),
    received: () => text,
    closed,
    pause: () => void socket.pause(),
    close: () => void socket.destroy(),
  }
}

// A wire between a server and its database that a test can cut, mend, and make swallow what is sent.

import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface DatabaseProxy {
  /** Connection string through the proxy. */
  readonly url: string
  /** Breaks every connection and accepts no new one. */
  readonly cut: () => void
  readonly mend: () => void
  /** Connections there are now answer nothing any more, not even their end; new ones work. */
  readonly silence: () => void
  readonly close: () => void
}

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let isCut = false
  // Half-open, so that an end that arrives on a silenced connection stays unanswered.
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (isCut) {
      client.destroy()
      return
    }
    const upstream = connect({ port: Number(target.port), host: target.hostname, allowHalfOpen: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = new URL(databaseUrl)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: url.href,
    cut: () => {
      isCut = true
      breakAll()
    },
    mend: () => {
      isCut = false
    },
    silence: () => {
      for (const socket of sockets) socket.unpipe().resume()
    },
    close: () => {
      breakAll()
      server.close()
    },
  }
}

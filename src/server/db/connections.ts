// The connections of a pool, and how to be rid of them when they lead nowhere any more: the pool itself hands out
// again whatever is open.

import { Socket } from 'node:net'
import pg from 'pg'

export class Connections {
  readonly #open = new Map<pg.ClientBase, Socket>()
  readonly #idle = new Set<pg.ClientBase>()
  readonly #retired = new WeakSet<pg.ClientBase>()

  /** A pool of connections that are watched. Settings other than the connection string must not be secret. */
  openPool(settings: pg.PoolConfig): pg.Pool {
    const pool = new pg.Pool({ ...settings, Client: this.#createClientClass() })
    pool.on('acquire', (client) => this.#idle.delete(client))
    pool.on('remove', (client) => this.#idle.delete(client))
    pool.on('release', (_error, client) => {
      this.#idle.add(client)
      // The pool drops what is ending.
      if (this.#retired.has(client) && client instanceof pg.Client) client.end().catch(() => {})
    })
    return pool
  }

  /** None that is open now is used again; what is under way on them goes on. */
  retire(): void {
    for (const [client, socket] of this.#open) {
      if (this.#idle.has(client)) socket.destroy()
      else this.#retired.add(client)
    }
  }

  /** Breaks all there are, whatever is under way on them; resolves when they are gone. */
  async destroy(): Promise<void> {
    const sockets = [...this.#open.values()]
    const closing = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of sockets) socket.destroy()
    await Promise.all(closing)
  }

  #createClientClass(): new () => pg.Client {
    const open = this.#open
    return class extends pg.Client {
      constructor(settings?: pg.ClientConfig) {
        const socket = new Socket()
        super({ ...settings, stream: () => socket })
        open.set(this, socket)
        socket.once('close', () => open.delete(this))
      }
    }
  }
}

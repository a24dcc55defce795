// One connection through the database proxy: two sockets, and what becomes of the bytes between them.

import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Side = 'client' | 'server'

export interface LinkRules {
  /** How long bytes of either direction are on their way. */
  readonly latencyMs: () => number
  /** Whether the connection breaks rather than pass on what this side sent. */
  readonly cutsAt: (from: Side, chunk: Buffer) => boolean
}

export class DatabaseLink {
  readonly #client: Socket
  readonly #server: Socket
  readonly #rules: LinkRules
  #isSilent = false

  /** `onClose` is told once, when the client's socket has gone. */
  constructor(client: Socket, server: Socket, rules: LinkRules, onClose: () => void) {
    this.#client = client
    this.#server = server
    this.#rules = rules
    client.on('error', () => this.break())
    client.on('close', () => {
      server.destroy()
      onClose()
    })
    server.on('error', () => server.destroy())
    server.on('close', () => {
      if (!this.#isSilent) client.destroy()
    })
    this.#carry(client, server, 'client')
    this.#carry(server, client, 'server')
  }

  /** The client hears nothing any more, not even an end. */
  silence(): void {
    this.#isSilent = true
  }

  break(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  /** Breaks it so that the client meets ECONNRESET rather than an end. */
  reset(): void {
    this.#client.resetAndDestroy()
    this.#server.destroy()
  }

  #carry(source: Socket, target: Socket, from: Side): void {
    let underway: Promise<unknown> = Promise.resolve()
    // Later bytes wait for earlier ones, also when the latency has changed in between.
    const deliver = (write: () => void): void => {
      const before = underway
      const latencyMs = this.#rules.latencyMs()
      const arriving = latencyMs > 0 ? sleep(latencyMs, undefined, { ref: false }) : Promise.resolve()
      underway = Promise.all([before, arriving]).then(() => {
        if (!this.#isSilent && !target.destroyed) write()
      })
    }
    source.on('data', (chunk) => {
      if (this.#rules.cutsAt(from, chunk)) this.break()
      else deliver(() => target.write(chunk))
    })
    // Who gave a silent connection up has no part in it any more, and need not hear that this was noticed.
    source.on('end', () => {
      if (this.#isSilent) this.#server.destroy()
      else deliver(() => target.end())
    })
  }
}

// A wire between a server and its database that a test can break in every way a network and a Postgres do.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { DatabaseLink, type Side } from './database-link.ts'

/** What becomes of new connections. */
type Reception = 'forward' | 'swallow' | 'reset' | 'exhausted'

/** What Postgres says when `max_connections` are taken, as an ErrorResponse. */
const TOO_MANY_CLIENTS = composeError('53300', 'sorry, too many clients already')

export class DatabaseProxy {
  /** Connection string through the proxy. */
  readonly url: string
  readonly #server: Server
  readonly #port: number
  readonly #links = new Set<DatabaseLink>()
  readonly #swallowed = new Set<Socket>()
  #target: URL
  #reception: Reception = 'forward'
  #latencyMs = 0
  #cut: { readonly from: Side; readonly pattern: RegExp; readonly done: () => void } | null = null

  constructor(server: Server, databaseUrl: string) {
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
    this.#target = new URL(databaseUrl)
    const url = new URL(databaseUrl)
    url.host = `127.0.0.1:${this.#port}`
    this.url = url.href
    server.on('connection', (client) => this.#receive(client))
  }

  /** Nobody listens any more: ECONNREFUSED. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.close()
    await closed
  }

  /** Connections there are, and new ones, are answered nothing. */
  blackHole(): void {
    this.silence()
    this.#reception = 'swallow'
  }

  /** Connections there are now are answered nothing any more, not even their end; new ones work. */
  silence(): void {
    for (const link of this.#links) link.silence()
  }

  /** Connections there are now end; new ones work. */
  cut(): void {
    for (const link of this.#links) link.break()
  }

  /** ECONNRESET, for connections there are and for new ones. */
  reset(): void {
    for (const link of this.#links) link.reset()
    this.#reception = 'reset'
  }

  /** No connection is left: those there are end, and Postgres takes no new one. */
  exhaust(): void {
    this.cut()
    this.#reception = 'exhausted'
  }

  /** What is sent in either direction takes this long. */
  delay(latencyMs: number): void {
    this.#latencyMs = latencyMs
  }

  /** Breaks the one connection on which next something like `pattern` is sent, before it arrives; resolves then. */
  cutOnce(from: Side, pattern: RegExp): Promise<void> {
    return new Promise((done) => {
      this.#cut = { from, pattern, done }
    })
  }

  /** From now on connections lead to another Postgres, under the same address. */
  redirect(databaseUrl: string): void {
    this.#target = new URL(databaseUrl)
  }

  /** Everything works again for new connections. Silenced ones stay silent. */
  async mend(): Promise<void> {
    this.#reception = 'forward'
    this.#latencyMs = 0
    this.#cut = null
    for (const socket of this.#swallowed) socket.destroy()
    if (!this.#server.listening) await listen(this.#server, this.#port)
  }

  close(): void {
    this.cut()
    for (const socket of this.#swallowed) socket.destroy()
    this.#server.close()
  }

  #receive(client: Socket): void {
    client.on('error', () => client.destroy())
    if (this.#reception === 'swallow') this.#swallow(client)
    else if (this.#reception === 'reset') client.resetAndDestroy()
    else if (this.#reception === 'exhausted') client.once('data', () => client.end(TOO_MANY_CLIENTS))
    else this.#forward(client)
  }

  #swallow(client: Socket): void {
    this.#swallowed.add(client)
    client.once('close', () => this.#swallowed.delete(client)).resume()
  }

  #forward(client: Socket): void {
    const upstream = connect({
      port: Number(this.#target.port),
      host: this.#target.hostname,
      allowHalfOpen: true,
    })
    const rules = {
      latencyMs: () => this.#latencyMs,
      cutsAt: (from: Side, chunk: Buffer) => this.#cutsAt(from, chunk),
    }
    const link = new DatabaseLink(client, upstream, rules, () => this.#links.delete(link))
    this.#links.add(link)
  }

  #cutsAt(from: Side, chunk: Buffer): boolean {
    if (this.#cut?.from !== from || !this.#cut.pattern.test(chunk.toString('latin1'))) return false
    this.#cut.done()
    this.#cut = null
    return true
  }
}

export async function startDatabaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  // Half-open, so that an end that arrives on a silenced connection stays unanswered.
  const server = createServer({ allowHalfOpen: true })
  await listen(server, 0)
  return new DatabaseProxy(server, databaseUrl)
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

/** The wire format of a FATAL error (PostgreSQL, 54.7 Message Formats). */
function composeError(sqlState: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${sqlState}\0M${message}\0\0`)
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(fields.length + 4, 1)
  return Buffer.concat([head, fields])
}

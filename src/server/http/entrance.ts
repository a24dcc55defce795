// Where requests come in, over the life of a process: it is alive before it is ready, and when it leaves, what is in
// flight is finished first.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from './log.ts'
import { createListener, LISTENER_LIMITS } from './server.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** In-flight requests get this long to finish. */
const DRAIN_MS = 5000

export class Entrance {
  readonly #http: HttpServer
  readonly #log: Logger
  readonly #inFlight = new Set<ServerResponse>()
  readonly #connections = new Set<Socket>()
  #handle: Handler = answerStarting
  #isLeaving = false

  constructor(keepAliveMs: number, log: Logger) {
    this.#log = log
    this.#http = createListener({ ...LISTENER_LIMITS, keepAliveMs }, (request, response) => {
      this.#inFlight.add(response)
      response.once('close', () => this.#inFlight.delete(response))
      if (this.#isLeaving) response.setHeader('Connection', 'close')
      return this.#handle(request, response)
    })
    // Workers that are all full would pass it on among themselves for ever.
    this.#passOnConnections(false)
    this.#http.on('connection', (socket) => {
      this.#connections.add(socket)
      socket.once('close', () => this.#connections.delete(socket))
    })
  }

  /** From here on requests are answered by `handle`; until then only `/healthz` is. */
  answerWith(handle: Handler): void {
    this.#handle = handle
  }

  /** Listens; gives the port. Rejects when it cannot. */
  listen(port: number, host: string): Promise<number> {
    const http = this.#http
    return new Promise((resolve, reject) => {
      const refuse = (cause: Error): void => reject(new Error(`cannot listen on ${host}:${port}`, { cause }))
      http.once('error', refuse)
      http.listen(port, host, () => {
        // From here on an error is about one connection, and no reason to end.
        http
          .off('error', refuse)
          .on('error', (error) => this.#log.error({ err: error }, 'cannot accept a connection'))
        resolve((http.address() as AddressInfo).port)
      })
    })
  }

  /**
   * Leaves further connections to the other workers, and closes each open one with its next answer: a client that is
   * sending a request at this very moment must not find its connection closed. Silent connections end by the time-out
   * that clients know of; so this does, and at once when `hurry` is aborted.
   */
  async handOver(hurry: AbortSignal): Promise<void> {
    this.#passOnConnections(true)
    this.#http.maxConnections = 0
    this.#closeWithNextAnswer()
    const { keepAliveTimeout, keepAliveTimeoutBuffer } = this.#http
    const settled = new AbortController()
    const signal = AbortSignal.any([hurry, settled.signal])
    const expired = sleep(keepAliveTimeout + keepAliveTimeoutBuffer, undefined, { signal }).catch(() => {})
    const closed = Array.from(
      this.#connections,
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    )
    await Promise.race([Promise.all(closed), expired])
    settled.abort()
  }

  /** Stops accepting and waits for what is in flight, up to `DRAIN_MS`. */
  async drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()))
    this.#http.closeIdleConnections()
    this.#closeWithNextAnswer()
    const timer = setTimeout(() => this.#http.closeAllConnections(), DRAIN_MS)
    await closed
    clearTimeout(timer)
  }

  /** Ends every connection, whatever is on it. */
  abandon(): void {
    this.#http.close()
    this.#http.closeAllConnections()
  }

  /** Whether a connection too many is passed on or closed (node:net; @types/node does not have the name). */
  #passOnConnections(doesPass: boolean): void {
    Object.assign(this.#http, { dropMaxConnection: !doesPass })
  }

  /** Else a connection would wait for the client's next request (RFC 9112 section 9.6). */
  #closeWithNextAnswer(): void {
    this.#isLeaving = true
    for (const response of this.#inFlight) {
      if (!response.headersSent) response.setHeader('Connection', 'close')
    }
  }
}

/** Alive, and not ready: a long migration is no reason to be restarted. */
const answerStarting: Handler = (request, response) => {
  if (request.url === '/healthz') {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end('{"status":"starting"}')
    return
  }
  response.writeHead(503, { 'Retry-After': '1', 'Content-Type': 'application/json' })
  response.end('{"error":"temporarily_unavailable"}')
}

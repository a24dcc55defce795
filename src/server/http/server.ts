// The listener and what it puts up with: how long a client may take, how much it may send, how many there may be.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export interface ListenerLimits {
  /** For a request line and its headers, from the connection or the end of the last request on. */
  readonly headersMs: number
  /** For a whole request, from its first byte on. */
  readonly requestMs: number
  /** Between the requests of a connection. */
  readonly keepAliveMs: number
  /** Without a byte either way, while a request is answered: for clients that do not read. */
  readonly silenceMs: number
  readonly headerBytes: number
  readonly connections: number
}

/** How often connections are looked through for those that take too long. */
const CHECK_MS = 1000

export const LISTENER_LIMITS: Omit<ListenerLimits, 'keepAliveMs'> = {
  headersMs: 10_000,
  /** Nobody sends 128 KiB for longer. */
  requestMs: 30_000,
  /** Longer than any answer takes. */
  silenceMs: 120_000,
  /** Room for an assertion or an access token, with all the rest. */
  headerBytes: 16_384,
  connections: 10_000,
}

export function createListener(
  limits: ListenerLimits,
  handle: (request: IncomingMessage, response: ServerResponse) => unknown,
): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, limits.headersMs),
      maxHeaderSize: limits.headerBytes,
    },
    handle,
  )
  server.maxConnections = limits.connections
  server.setTimeout(limits.silenceMs)
  return server
}

// Serving: listen, prepare the database, answer, and on a signal finish what is in flight.

import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { composeServer } from './compose.ts'
import { openDatabase } from './db/database.ts'
import type { Logger } from './http/log.ts'
import {
  applyRecorded,
  defaultIssuer,
  migrateDatabase,
  type OperatorContext,
  readFiles,
  resolveSecretKeys,
  withDatabase,
} from './operator.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** In-flight requests get this long to finish; together with the rest of the stop it stays under 10 s. */
const DRAIN_MS = 5000

/** Serves until `stopped` resolves, then drains. Rejects when the server cannot start. */
export async function serve(context: OperatorContext, stopped: Promise<string>): Promise<void> {
  const { config, log } = context
  const declared = readFiles(context, config.applyFiles)
  let handle: Handler = answerStarting
  const inFlight = new Set<ServerResponse>()
  const http = createServer((request, response) => {
    inFlight.add(response)
    response.once('close', () => inFlight.delete(response))
    return handle(request, response)
  })
  // The port comes first: it may be the issuer's, and a port that is taken must stop us before the database.
  const port = await listen(http, config.port, config.host)
  const issuer = config.issuer ?? defaultIssuer(port)
  try {
    await withDatabase(context, async (databaseUrl) => {
      await migrateDatabase(databaseUrl)
      const db = openDatabase({
        url: databaseUrl,
        onConnectionError: (error) => log.warn({ err: error }, 'database connection lost'),
        onQuery: ({ level, queryDurationMillis, query }) =>
          log.debug({ outcome: level, durationMs: queryDurationMillis, sql: query.sql }, 'query'),
      })
      const server = await composeServer({ ...context, issuer, db, secretKeys: resolveSecretKeys(config) })
      if (declared.length > 0) log.info({ changes: await applyRecorded(context, db, declared) }, 'applied')
      handle = server.handle
      announce(log, issuer, `http://${hostForUrl(config.host)}:${port}`)
      log.info({ signal: await stopped }, 'stopping')
      await drain(http, inFlight)
      await server.drain()
      await db.destroy()
    })
  } finally {
    http.close()
    http.closeAllConnections()
  }
}

/** The line others wait for; printed whatever the log level is. */
function announce(log: Logger, issuer: string, url: string): void {
  log.child({}, { level: 'info' }).info({ url, issuer }, 'listening')
}

const hostForUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

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

function listen(http: HttpServer, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (cause) => reject(new Error(`cannot listen on ${host}:${port}`, { cause })))
    http.listen(port, host, () => resolve((http.address() as AddressInfo).port))
  })
}

/** Stops accepting and waits for what is in flight, up to `DRAIN_MS`. */
async function drain(http: HttpServer, inFlight: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = new Promise<void>((resolve) => http.close(() => resolve()))
  http.closeIdleConnections()
  // Else its connection would wait for the client's next request (RFC 9112 section 9.6).
  for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close')
  const timer = setTimeout(() => http.closeAllConnections(), DRAIN_MS)
  await closed
  clearTimeout(timer)
}

// Serving: listen, prepare the database, answer, and on a signal finish what is in flight.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { composeServer, type Server } from './compose.ts'
import { type Database, openDatabase } from './db/database.ts'
import type { DeclarativeFile } from './directory/apply/read-file.ts'
import type { Logger } from './http/log.ts'
import { createListener, LISTENER_LIMITS } from './http/server.ts'
import { measureQuery } from './instrument.ts'
import {
  applyRecorded,
  defaultIssuer,
  migrateDatabase,
  type OperatorContext,
  readFiles,
  resolveSecretKeys,
  withDatabase,
} from './operator.ts'
import { serveMetrics, startTelemetry } from './start-telemetry.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** In-flight requests get this long to finish. */
const DRAIN_MS = 5000
/** All of the stop but the embedded database's: orchestrators kill after 10 s. */
const STOP_MS = 9000

/** Serves until `stopped` resolves, then drains. Rejects when the server cannot start. */
export async function serve(context: OperatorContext, stopped: Promise<string>): Promise<void> {
  const { config, log } = context
  const declared = readFiles(context, config.applyFiles)
  const telemetry = await startTelemetry(context)
  let handle: Handler = answerStarting
  const inFlight = new Set<ServerResponse>()
  const limits = { ...LISTENER_LIMITS, keepAliveMs: config.keepAliveSeconds * 1000 }
  const http = createListener(limits, (request, response) => {
    inFlight.add(response)
    response.once('close', () => inFlight.delete(response))
    return handle(request, response)
  })
  // The port comes first: it may be the issuer's, and a port that is taken must stop us before the database.
  const port = await listen(http, config.port, config.host, log)
  const issuer = config.issuer ?? defaultIssuer(port)
  const metrics = await serveMetrics(context, telemetry.meter?.render)
  try {
    await withDatabase(context, async (databaseUrl) => {
      const starting = start({ ...context, issuer, databaseUrl, declared, telemetry })
      // A stop may come before the start is through, say behind another instance's migration: nothing is lost then.
      const running = await Promise.race([starting, stopped.then(() => null)])
      if (!running) {
        starting.catch(() => {})
        return
      }
      handle = running.server.handle
      announce(log, issuer, `http://${hostForUrl(config.host)}:${port}`)
      log.info({ signal: await stopped }, 'stopping')
      await withinDeadline(log, async () => {
        await drain(http, inFlight)
        await running.server.drain()
        await running.db.destroy()
        await telemetry.stop()
      })
    })
  } finally {
    http.close()
    http.closeAllConnections()
    metrics?.close()
  }
}

interface StartOptions extends OperatorContext {
  readonly issuer: string
  readonly databaseUrl: string
  readonly declared: readonly DeclarativeFile[]
  readonly telemetry: Telemetry
}

/** Migrates, builds the server and applies what was declared. */
async function start(options: StartOptions): Promise<{ server: Server; db: Database }> {
  const { config, log, databaseUrl, declared, telemetry } = options
  const { meter } = telemetry
  await migrateDatabase(databaseUrl)
  const db = openDatabase({
    url: databaseUrl,
    timeouts: config.databaseTimeouts,
    onConnectionError: (error) => log.warn({ err: error }, 'database connection lost'),
    onOpen: (pool) => meter?.watch({ pool }),
    onQuery: (event) => {
      if (meter) measureQuery(meter, event)
      const { level, queryDurationMillis, query } = event
      log.debug({ outcome: level, durationMs: queryDurationMillis, sql: query.sql }, 'query')
    },
  })
  const server = await composeServer({ ...options, db, secretKeys: resolveSecretKeys(config) })
  if (declared.length > 0) log.info({ changes: await applyRecorded(options, db, declared) }, 'applied')
  return { server, db }
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

function listen(http: HttpServer, port: number, host: string, log: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => reject(new Error(`cannot listen on ${host}:${port}`, { cause }))
    http.once('error', refuse)
    http.listen(port, host, () => {
      // From here on an error is about one connection, and no reason to end.
      http
        .off('error', refuse)
        .on('error', (error) => log.error({ err: error }, 'cannot accept a connection'))
      resolve((http.address() as AddressInfo).port)
    })
  })
}

/** Runs the steps of a stop, and leaves them where they are when they take longer than `STOP_MS`. */
async function withinDeadline(log: Logger, steps: () => Promise<void>): Promise<void> {
  const { promise: struck, resolve: strike } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    log.error({ deadlineMs: STOP_MS }, 'stopping took too long: what is left is abandoned')
    strike()
  }, STOP_MS)
  await Promise.race([steps(), struck]).finally(() => clearTimeout(timer))
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

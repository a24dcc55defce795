// Serving by this process alone: listen, prepare the database, answer, and on a signal finish what is in flight.

import { composeServer } from './compose.ts'
import type { DeclarativeFile } from './directory/apply/read-file.ts'
import { Entrance, type Handler } from './http/entrance.ts'
import { defaultIssuer, type OperatorContext, readFiles, withDatabase } from './operator.ts'
import {
  announce,
  closeServing,
  establish,
  openServing,
  type ServingContext,
  STOP_MS,
  withinDeadline,
} from './serving.ts'
import { serveMetrics, startTelemetry } from './start-telemetry.ts'

/** Serves until `stopped` resolves, then drains. Rejects when the server cannot start. */
export async function serve(context: OperatorContext, stopped: Promise<string>): Promise<void> {
  const { config, log } = context
  const declared = readFiles(context, config.applyFiles)
  const telemetry = await startTelemetry(context)
  const entrance = new Entrance(config.keepAliveSeconds * 1000, log)
  // The port comes first: it may be the issuer's, and a port that is taken must stop us before the database.
  const port = await entrance.listen(config.port, config.host)
  const issuer = config.issuer ?? defaultIssuer(port)
  const metrics = await serveMetrics(context, telemetry.meter?.render)
  try {
    await withDatabase(context, async (databaseUrl) => {
      const serving = { ...context, issuer, databaseUrl, telemetry }
      const starting = start(serving, declared)
      // A stop may come before the start is through, say behind another instance's migration: nothing is lost then.
      const running = await Promise.race([starting, stopped.then(() => null)])
      if (!running) {
        starting.catch(() => {})
        return
      }
      entrance.answerWith(running.handle)
      announce(serving, port)
      log.info({ signal: await stopped }, 'stopping')
      await withinDeadline(log, STOP_MS, async () => {
        await entrance.drain()
        await running.stop()
        await telemetry.stop()
      })
    })
  } finally {
    entrance.abandon()
    metrics?.close()
  }
}

/** Everything behind the entrance. `stop` waits until every record asked for is durable. */
async function start(
  context: ServingContext,
  declared: readonly DeclarativeFile[],
): Promise<{ handle: Handler; stop: () => Promise<void> }> {
  const upkeep = await establish(context, declared)
  const options = openServing(context)
  const server = await composeServer(options)
  return {
    handle: server.handle,
    stop: async () => {
      await Promise.all([upkeep.stop(), server.drain()])
      await closeServing(options)
    },
  }
}

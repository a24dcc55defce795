// Serving by several processes behind one port. This one, the primary, owns what exists once: the embedded database,
// the data folder's secrets, migrations, declared files, the upkeep of the database, and the port. The workers serve.

import { setTimeout as sleep } from 'node:timers/promises'
import { createReadinessCheck } from './db/readiness.ts'
import type { DeclarativeFile } from './directory/apply/read-file.ts'
import { defaultIssuer, type OperatorContext, readFiles, withDatabase } from './operator.ts'
import { announce, establish, openLogged, type ServingContext, STOP_MS, withinDeadline } from './serving.ts'
import { serveMetrics, startTelemetry } from './start-telemetry.ts'
import { GatheredMetrics } from './telemetry/gathered-metrics.ts'
import type { Scrape, Snapshot } from './telemetry/metric-set.ts'
import type { MetricsListener } from './telemetry/metrics-listener.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import { WorkerPool } from './workers/worker-pool.ts'
import { forkWorker } from './workers/worker-process.ts'

export interface Signals {
  /** Resolves when the server is to stop. */
  readonly stopped: Promise<string>
  /** Tells the one listener whenever the workers are to be replaced. */
  readonly onReload: (listener: () => void) => void
}

/** To look whether the database answers. */
const PRIMARY_CONNECTIONS = 1

/** For what is in flight when the last silent connection has ended, and some more. */
const RETIRE_GRACE_MS = 30_000

/** Serves until stopped, then has the workers drain. Rejects when the workers cannot start, or do not stay. */
export async function serveByWorkers(context: OperatorContext, signals: Signals): Promise<void> {
  const { config, log } = context
  const declared = readFiles(context, config.applyFiles)
  // Nothing that is traced happens here.
  const telemetry = await startTelemetry({ log, config: { ...config, otlpEndpoint: undefined } })
  const pool = new WorkerPool({
    count: config.workers,
    fork: forkWorker,
    retireMs: config.keepAliveSeconds * 1000 + RETIRE_GRACE_MS,
    log,
    now: () => performance.now(),
    sleep,
  })
  let metrics: MetricsListener | null = null
  try {
    // The port comes first, as when serving alone: until they serve, the workers say that they are alive.
    const port = await pool.listen({ host: config.host, port: config.port })
    const issuer = config.issuer ?? defaultIssuer(port)
    metrics = await serveMetrics(context, gatherMetrics(telemetry, pool))
    await withDatabase(context, async (databaseUrl) => {
      const serving = { ...context, issuer, databaseUrl, telemetry }
      const starting = start(serving, declared, pool)
      const running = await Promise.race([starting, signals.stopped.then(() => null)])
      if (!running) {
        starting.catch(() => {})
        return
      }
      announce(serving, port)
      signals.onReload(() => pool.restart())
      log.info({ signal: await Promise.race([signals.stopped, pool.broken]) }, 'stopping')
      await withinDeadline(log, STOP_MS, async () => {
        await pool.stop()
        await running.stop()
      })
    })
  } finally {
    pool.kill()
    metrics?.close()
  }
}

/** Gives the metrics of this process and of all workers together. */
function gatherMetrics({ meter }: Telemetry, pool: WorkerPool): (() => Promise<Scrape>) | undefined {
  if (!meter) return undefined
  const gathered = new GatheredMetrics()
  return async () => {
    // What a worker says it says by this same program.
    const [own, others] = await Promise.all([meter.snapshot(), pool.measure()])
    return gathered.render(own, others as Map<number, Snapshot | null>)
  }
}

async function start(
  context: ServingContext,
  declared: readonly DeclarativeFile[],
  pool: WorkerPool,
): Promise<{ stop: () => Promise<void> }> {
  const { issuer, databaseUrl, config, telemetry } = context
  const upkeep = await establish(context, declared)
  const db = openLogged(context, {
    maxConnections: PRIMARY_CONNECTIONS,
    timeouts: config.databaseTimeouts,
    onOpen: (pool) => telemetry.meter?.watch({ pool }),
  })
  telemetry.meter?.watch({ databaseAnswers: createReadinessCheck(db) })
  await pool.serve({ issuer, databaseUrl, dataDir: config.dataDir })
  return {
    stop: async () => {
      await upkeep.stop()
      await db.destroy()
    },
  }
}

// The telemetry of a serving process, as it is configured, and the listener that Prometheus scrapes.

import { readVersion } from '../cli/read-version.ts'
import { MEASURED_CAUSES } from './instrument.ts'
import type { OperatorContext } from './operator.ts'
import type { Scrape } from './telemetry/metric-set.ts'
import { listenForScrapes, type MetricsListener } from './telemetry/metrics-listener.ts'
import { openTelemetry, type Telemetry } from './telemetry/telemetry.ts'

const DEFAULT_METRICS_PORT = 9464

/** One for each process. */
export const startTelemetry = ({
  config,
  log,
}: Pick<OperatorContext, 'config' | 'log'>): Promise<Telemetry> =>
  openTelemetry({
    measures: config.metricsPort !== 'off',
    otlpEndpoint: config.otlpEndpoint,
    traceRatio: config.traceRatio,
    version: readVersion(),
    nodeVersion: process.versions.node,
    refusalCauses: MEASURED_CAUSES,
    onExportChange: (error) => {
      if (error === null) log.info({}, 'traces arrive again')
      else log.warn({ err: error }, 'traces do not arrive')
    },
  })

/**
 * Serves what `render` gives. A port that was asked for and is taken throws; the default one does not, so that a second
 * server on a machine starts as the first did, and says what it lacks.
 */
export async function serveMetrics(
  { config, log }: Pick<OperatorContext, 'config' | 'log'>,
  render: (() => Promise<Scrape>) | undefined,
): Promise<MetricsListener | null> {
  const { metricsHost: host, metricsPort } = config
  if (!render || metricsPort === 'off') return null
  const port = metricsPort ?? DEFAULT_METRICS_PORT
  const onError = (error: unknown): void => log.error({ err: error }, 'cannot answer a scrape')
  try {
    const listener = await listenForScrapes({ host, port, render, onError })
    log.info({ url: urlOf(host, listener.port) }, 'metrics')
    return listener
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    if (!isTaken || metricsPort !== undefined)
      throw new Error(`cannot listen on ${host}:${port} for metrics`, { cause })
    log.warn({ url: urlOf(host, port) }, 'no metrics: the port is taken; PATMINT_METRICS_PORT names another')
    return null
  }
}

const urlOf = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`

// Sending spans to a collector (OTLP over HTTP), in batches from a bounded queue: nobody waits for it, what does not fit
// is dropped, and a collector that is away costs nothing but its spans. The only importer of the SDK and the exporter.

import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { Tracer } from './tracer.ts'

export interface SpanExportOptions {
  /** Base URL of the collector. */
  readonly endpoint: string
  /** Share of the requests that come without a `traceparent`. */
  readonly ratio: number
  readonly version: string
  /** Told when batches begin to be lost, with what went wrong, and when they arrive again, with null. */
  readonly onChange: (error: unknown) => void
}

export interface SpanExport {
  readonly tracer: Tracer
  /** Sends what waits, for at most `FLUSH_MS`. Never rejects. */
  readonly stop: () => Promise<void>
}

const QUEUE_SPANS = 4096
const BATCH_SPANS = 512
const BATCH_MS = 2000
const EXPORT_MS = 5000
/** A stop has 9 s in all. */
const FLUSH_MS = 1500

/** Headers, certificates and compression of the exporter are those of the standard OTEL_EXPORTER_OTLP_ variables. */
export function openSpanExport(options: SpanExportOptions): SpanExport {
  const { endpoint, ratio, version } = options
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_MS,
  })
  const named = resourceFromAttributes({ 'service.name': 'patmint', 'service.version': version })
  const provider = new TracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES tell deployments apart.
    resource: defaultResource()
      .merge(named)
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: reportChanges(exporter, options.onChange),
        maxQueueSize: QUEUE_SPANS,
        maxExportBatchSize: BATCH_SPANS,
        scheduledDelayMillis: BATCH_MS,
        exportTimeoutMillis: EXPORT_MS,
      }),
    ],
  })
  return { tracer: new Tracer(provider.getTracer('patmint', version)), stop: () => stopInTime(provider) }
}

/** The exporter, telling once that it fails and once that it does not any more. */
function reportChanges(exporter: SpanExporter, onChange: (error: unknown) => void): SpanExporter {
  let isFailing = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const fails = result.error !== undefined || result.code !== 0
        if (fails !== isFailing) onChange(fails ? (result.error ?? new Error('export failed')) : null)
        isFailing = fails
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
  }
}

async function stopInTime(provider: TracerProvider): Promise<void> {
  const { promise: struck, resolve: strike } = Promise.withResolvers<void>()
  const timer = setTimeout(strike, FLUSH_MS)
  await Promise.race([provider.shutdown().catch(() => {}), struck])
  clearTimeout(timer)
}

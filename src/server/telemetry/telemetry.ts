// What watches a server: its metrics and its traces, either of which may be off.

import { createMeter, type Meter, type MeterOptions } from './meter.ts'
import { MetricSet } from './metric-set.ts'
import type { Tracer } from './tracer.ts'

export interface Telemetry {
  /** Null: nothing is measured. */
  readonly meter: Meter | null
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null
  /** Sends the spans that wait, within a second or two. */
  readonly stop: () => Promise<void>
}

export const NO_TELEMETRY: Telemetry = { meter: null, tracer: null, stop: async () => {} }

export interface TelemetryOptions extends MeterOptions {
  readonly measures: boolean
  /** Undefined: nothing is traced. */
  readonly otlpEndpoint: string | undefined
  readonly traceRatio: number
  readonly onExportChange: (error: unknown) => void
}

/** The telemetry of a process, of which there is one: it includes what Node.js says of itself. */
export async function openTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { otlpEndpoint: endpoint, traceRatio: ratio, version, onExportChange: onChange } = options
  // Not loaded unless used: the SDK takes its time and memory.
  const spans = endpoint
    ? (await import('./span-export.ts')).openSpanExport({ endpoint, ratio, version, onChange })
    : null
  return {
    meter: options.measures ? createMeter(options, newProcessSet()) : null,
    tracer: spans?.tracer ?? null,
    stop: async () => spans?.stop(),
  }
}

function newProcessSet(): MetricSet {
  const set = new MetricSet()
  set.addProcessMetrics()
  return set
}

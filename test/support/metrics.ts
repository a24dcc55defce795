// What a scrape says, read as Prometheus would.

import { MEASURED_CAUSES } from '../../src/server/instrument.ts'
import { createMeter, type Meter } from '../../src/server/telemetry/meter.ts'
import { NO_TELEMETRY, type Telemetry } from '../../src/server/telemetry/telemetry.ts'

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const SAMPLE = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i

/** Samples of the text exposition format. Throws when a line is neither a sample nor a comment. */
export function parseSamples(text: string): Sample[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
    if (name === undefined) throw new Error(`not a sample: ${line}`)
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
    return {
      name,
      labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
      value: Number(value),
    }
  })
}

/** Sum of the samples of `name` that have these labels. */
export function sumOf(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels)
  return samples
    .filter((sample) => sample.name === name && wanted.every(([key, text]) => sample.labels[key] === text))
    .reduce((sum, { value }) => sum + value, 0)
}

/** Telemetry that measures one server of this process, without what Node.js says of the process itself. */
export function newMetering(): Telemetry & { readonly meter: Meter } {
  const meter = createMeter({ version: '0.0.0', nodeVersion: '0.0.0', refusalCauses: MEASURED_CAUSES })
  return { ...NO_TELEMETRY, meter }
}

export interface MetricDescription {
  readonly name: string
  readonly type: string
  readonly help: string
  /** Without `le`, which every histogram has. */
  readonly labels: readonly string[]
}

/** Every metric of a scrape, in its order. */
export function describeMetrics(text: string): MetricDescription[] {
  const samples = parseSamples(text)
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(
    ([, name = '', help = '', type = '']) => {
      const own = samples.filter((sample) => sample.name.replace(/_(bucket|sum|count)$/, '') === name)
      const labels = new Set(own.flatMap((sample) => Object.keys(sample.labels)))
      return { name, type, help, labels: [...labels].filter((label) => label !== 'le') }
    },
  )
}

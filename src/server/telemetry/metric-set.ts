// The only importer of prom-client: metrics as functions to call. What a label may say is known when its metric is
// made, so that every series stands in the output from the start, and a hot path looks nothing up.

import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Adds to a count, 1 unless told. */
export type Count = (amount?: number) => void
/** Notes one measurement, in the unit the metric's name ends with. */
export type Observe = (value: number) => void

export interface Scrape {
  readonly contentType: string
  readonly text: string
}

/** From below a millisecond to the ten seconds after which nobody waits any more. */
export const DURATION_BUCKETS = [
  0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
export const SIZE_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

/** How values of several workers become one. */
type Aggregate = 'sum' | 'min' | 'max' | 'first'

type Metric = Awaited<ReturnType<Registry['getMetricsAsJSON']>>[number]
/** What a process says of itself at one moment, as it may be told to another. */
export type Snapshot = readonly Metric[]

/** Whether it only ever grows. */
export const isCount = ({ type }: Metric): boolean => COUNT_TYPES.has(String(type))
const COUNT_TYPES = new Set(['counter', 'histogram'])

export class MetricSet {
  readonly #registry: Registry

  constructor(registry = new Registry()) {
    this.#registry = registry
  }

  /** One set of the values of several processes. */
  static gather(snapshots: readonly Snapshot[]): MetricSet {
    return new MetricSet(AggregatorRegistry.aggregate([...snapshots]))
  }

  /** What Node.js says of its process. These outlive the set: one set with them per process. */
  addProcessMetrics(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  counter(name: string, help: string): Count {
    const counter = new Counter({ name, help, registers: [this.#registry] })
    return (amount = 1) => counter.inc(amount)
  }

  counterBy<const Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): Readonly<Record<Value, Count>> {
    const make = this.counterOf(name, help, [label])
    return recordOf(values, (value) => make(value))
  }

  /** For labels whose values the caller bounds: gives the counter of one combination, which begins at 0. */
  counterOf(name: string, help: string, labelNames: readonly string[]): (...values: string[]) => Count {
    const counter = new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
    return (...values) => {
      const child = counter.labels(...values)
      child.inc(0)
      return (amount = 1) => child.inc(amount)
    }
  }

  /** Of counts that somebody else keeps: asked at each scrape. */
  counterRead(
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
  ): void {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect: () => {
        counter.reset()
        for (const [value, count] of read()) counter.inc({ [label]: value }, count)
      },
    })
  }

  histogram(name: string, help: string, buckets: readonly number[] = DURATION_BUCKETS): Observe {
    const histogram = new Histogram({ name, help, buckets: [...buckets], registers: [this.#registry] })
    return (value) => histogram.observe(value)
  }

  histogramBy<const Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
  ): Readonly<Record<Value, Observe>> {
    const make = this.histogramOf(name, help, [label])
    return recordOf(values, (value) => make(value))
  }

  /** For labels whose values the caller bounds: gives the histogram of one combination. */
  histogramOf(name: string, help: string, labelNames: readonly string[]): (...values: string[]) => Observe {
    const histogram = new Histogram({
      name,
      help,
      labelNames: [...labelNames],
      buckets: [...DURATION_BUCKETS],
      registers: [this.#registry],
    })
    return (...values) => {
      histogram.zero(Object.fromEntries(labelNames.map((label, index) => [label, values[index] ?? ''])))
      const child = histogram.labels(...values)
      return (value) => child.observe(value)
    }
  }

  /** Asked at each scrape. */
  gauge(
    name: string,
    help: string,
    read: () => number | Promise<number>,
    aggregate: Aggregate = 'sum',
  ): void {
    this.#gaugeOf(name, help, [], async (gauge) => gauge.set(await read()), aggregate)
  }

  gaugeBy(
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
    aggregate: Aggregate = 'sum',
  ): void {
    const collect = (gauge: Gauge): void => {
      for (const [value, number] of read()) gauge.set({ [label]: value }, number)
    }
    this.#gaugeOf(name, help, [label], collect, aggregate)
  }

  /** One that is always 1, and says something by its labels. */
  information(name: string, help: string, labels: Readonly<Record<string, string>>): void {
    this.#gaugeOf(name, help, Object.keys(labels), (gauge) => gauge.set(labels, 1), 'first')
  }

  #gaugeOf(
    name: string,
    help: string,
    labelNames: string[],
    collect: (gauge: Gauge) => void | Promise<void>,
    aggregator: Aggregate,
  ): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      aggregator,
      registers: [this.#registry],
      collect: () => collect(gauge),
    })
  }

  /** The values of now, for `gather`. */
  snapshot(): Promise<Snapshot> {
    return this.#registry.getMetricsAsJSON()
  }

  /** The text exposition format, with the values of now. */
  async render(): Promise<Scrape> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() }
  }
}

const recordOf = <Value extends string, Made>(
  values: readonly Value[],
  make: (value: Value) => Made,
): Readonly<Record<Value, Made>> =>
  Object.fromEntries(values.map((value) => [value, make(value)])) as Record<Value, Made>

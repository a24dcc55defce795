// What a run of the benchmark found, as plain data: the JSON document, and what the tables are made of.

import type { Figures } from '../meter/figures.ts'

export interface Row {
  /** Stable, for machines. */
  readonly id: string
  readonly name: string
  readonly connections: number
  /** As fast as the connections can: rate, cost, statements. Null where only the latency is of interest. */
  readonly closed: Figures | null
  /** Requests arriving at a fixed rate: latencies. Null where only the rate is of interest. */
  readonly open: (Figures & { readonly arrivingPerSecond: number }) | null
}

/** How long something took that is not measured itself. */
export interface Preparation {
  readonly name: string
  readonly seconds: number
}

export interface MemorySample {
  readonly atSeconds: number
  readonly rssBytes: number
}

export interface Soak {
  readonly figures: Figures
  readonly samples: readonly MemorySample[]
}

/** What one verification of an access token costs. */
export interface Verification {
  readonly id: string
  readonly name: string
  readonly algorithm: string
  /** User and system time of all threads. */
  readonly cpuMicroseconds: number
  /** As a multiple of the signature's check alone. */
  readonly perReference: number
  /** By the clock. */
  readonly microseconds: number
}

export interface Bar {
  readonly figure: string
  readonly bar: string
  /** Null: not measured in this run. */
  readonly value: string | null
  readonly isMet: boolean | null
}

export interface Report {
  readonly startedAt: string
  readonly seconds: number
  readonly machine: Readonly<Record<string, string | number>>
  /** Null: this run had no server. */
  readonly postgres: Readonly<Record<string, string>> | null
  readonly settings: Readonly<Record<string, string>>
  readonly preparations: readonly Preparation[]
  readonly rows: readonly Row[]
  readonly soak: Soak | null
  readonly verifications: readonly Verification[]
  readonly bars: readonly Bar[]
  /** Answers that were wrong, in all. */
  readonly failures: number
}

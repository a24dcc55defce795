// What is measured of notices. Who is told of which credential is in the database, and no label.

import type { MetricSet } from './metric-set.ts'

const CHANNELS = ['email', 'webhook'] as const
const OUTCOMES = ['delivered', 'cancelled', 'retried', 'failed'] as const

export type NoticeOutcome = (typeof OUTCOMES)[number]

/** Counts one, by its channel and how that ended. */
export type CountNotice = (channel: (typeof CHANNELS)[number], outcome: NoticeOutcome) => void

export function createNoticeMeter(
  set: MetricSet,
  readOpen: () => Iterable<readonly [string, number]>,
): { readonly countNotice: CountNotice } {
  const make = set.counterOf(
    'patmint_notices_total',
    'Notices of credentials about to end: delivered, no longer true, a try that is made again, given up',
    ['channel', 'outcome'],
  )
  const counters = new Map(
    CHANNELS.flatMap((channel) =>
      OUTCOMES.map((outcome) => [`${channel} ${outcome}`, make(channel, outcome)] as const),
    ),
  )
  set.gaugeBy(
    'patmint_notices_open',
    'Notices that wait for their delivery, or were given up, of all instances together',
    'state',
    readOpen,
    // Every instance counts the same rows.
    'max',
  )
  return { countNotice: (channel, outcome) => counters.get(`${channel} ${outcome}`)?.() }
}

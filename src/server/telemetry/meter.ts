// Everything that is measured, by the name it has in /metrics. A label has few values, all known in advance or bounded
// by the routes there are: no audience, client, user, credential or path ever is one.

import {
  type Count,
  MetricSet,
  type Observe,
  type Scrape,
  SIZE_BUCKETS,
  type Snapshot,
} from './metric-set.ts'
import { type CountNotice, createNoticeMeter } from './notice-meter.ts'
import { createRequestMeter, type RequestMeter } from './request-meter.ts'

export type ExchangeOutcome = 'granted' | 'refused' | 'failed'

export interface Meter {
  readonly requests: RequestMeter
  readonly exchanges: Readonly<Record<ExchangeOutcome, Observe>>
  /** A cause that is not one of those known counts as `other`. */
  readonly countRefusal: (cause: string | undefined) => void
  readonly lookUpBatch: Observe
  readonly standingSeconds: Observe
  readonly secretsRemembered: Readonly<Record<'yes' | 'no', Count>>
  readonly hashSeconds: Observe
  readonly ledgerGroup: Observe
  readonly ledgerSeconds: Readonly<Record<'committed' | 'failed', Observe>>
  readonly signSeconds: Observe
  readonly querySeconds: Observe
  readonly databaseErrors: Readonly<Record<'away' | 'statement', Count>>
  /** Notes how a run of a background task ended. */
  readonly taskEnded: (task: string, end: 'success' | 'failure', at: Date) => void
  readonly countNotice: CountNotice
  /** Says where to read what only a scrape asks for; until then it is 0, or absent where it has labels. */
  readonly watch: (gauges: Partial<Gauges>) => void
  readonly render: () => Promise<Scrape>
  /** The values of now, for another process to put together with its own. */
  readonly snapshot: () => Promise<Snapshot>
}

/** What is read when somebody scrapes, and costs nothing between. */
export interface Gauges {
  readonly pool: () => { readonly total: number; readonly idle: number; readonly waiting: number }
  readonly databaseAnswers: () => Promise<boolean>
  readonly waitingRecords: () => number
  readonly waitingHashes: () => number
  /** How many requests were turned away unheard since the start, by the reason. */
  readonly shed: () => Iterable<readonly [string, number]>
  /** Since when the key of each algorithm that signs now has been the one that does. */
  readonly keyActivations: () => Iterable<readonly [string, Date]>
  /** How old the status list was that was given out last. */
  readonly statusListAgeSeconds: () => number
  /** Of the notices that wait or were given up, how many of each state. */
  readonly openNotices: () => Iterable<readonly [string, number]>
}

export interface MeterOptions {
  readonly version: string
  readonly nodeVersion: string
  readonly refusalCauses: readonly string[]
}

const NO_NOTICES = [
  ['pending', 0],
  ['failed', 0],
] as const
const NO_POOL = { total: 0, idle: 0, waiting: 0 }
const toSeconds = (instant: Date): number => instant.getTime() / 1000

export function createMeter(options: MeterOptions, set: MetricSet = new MetricSet()): Meter {
  let gauges: Partial<Gauges> = {}
  set.information('patmint_build_info', 'Version of Patmint and of the Node.js that runs it; always 1', {
    version: options.version,
    node: options.nodeVersion,
  })
  addGauges(set, () => gauges)
  return {
    requests: createRequestMeter(set),
    ...createExchangeMeters(set, options.refusalCauses),
    ...createStoreMeters(set),
    ...createNoticeMeter(set, () => gauges.openNotices?.() ?? NO_NOTICES),
    taskEnded: createTaskMeter(set),
    watch: (more) => {
      gauges = { ...gauges, ...more }
    },
    render: () => set.render(),
    snapshot: () => set.snapshot(),
  }
}

/** What counts a cause nobody named. */
export const OTHER = 'other'

function createExchangeMeters(set: MetricSet, causes: readonly string[]) {
  const refusals: Readonly<Record<string, Count>> = set.counterBy(
    'patmint_exchange_refusals_total',
    'Refused exchanges by their true cause',
    'cause',
    [...causes, OTHER],
  )
  return {
    exchanges: set.histogramBy(
      'patmint_exchange_duration_seconds',
      'Token requests by outcome: granted; refused, which is the answer of a healthy server; failed, which is not',
      'outcome',
      ['granted', 'refused', 'failed'],
    ),
    countRefusal: (cause: string | undefined) => (refusals[cause ?? OTHER] ?? refusals[OTHER])?.(),
    secretsRemembered: set.counterBy(
      'patmint_secret_checks_total',
      'Credentials with the right secret; remembered ones cost no hash',
      'remembered',
      ['yes', 'no'],
    ),
    hashSeconds: set.histogram('patmint_hash_duration_seconds', 'Comparing one secret by argon2id'),
    signSeconds: set.histogram('patmint_signing_duration_seconds', 'Signing one access token'),
  }
}

function createStoreMeters(set: MetricSet) {
  return {
    lookUpBatch: set.histogram(
      'patmint_look_up_batch_size',
      'Look-ups of credentials and clients that shared one statement',
      SIZE_BUCKETS,
    ),
    standingSeconds: set.histogram(
      'patmint_standing_load_duration_seconds',
      'Looking up the standing of one credential, with its wait for the statement it shares',
    ),
    ledgerGroup: set.histogram(
      'patmint_ledger_group_size',
      'Audit records that shared one transaction',
      SIZE_BUCKETS,
    ),
    ledgerSeconds: set.histogramBy(
      'patmint_ledger_commit_duration_seconds',
      'Transactions of audit records by how they ended',
      'outcome',
      ['committed', 'failed'],
    ),
    querySeconds: set.histogram(
      'patmint_database_query_duration_seconds',
      'Statements, without the wait for a connection',
    ),
    databaseErrors: set.counterBy(
      'patmint_database_errors_total',
      'Statements that failed: the database was away or overloaded, or would not have the statement',
      'kind',
      ['away', 'statement'],
    ),
  }
}

function addGauges(set: MetricSet, current: () => Partial<Gauges>): void {
  set.gaugeBy('patmint_database_connections', 'Connections of the pool', 'state', () => {
    const { total, idle } = current().pool?.() ?? NO_POOL
    return [
      ['idle', idle],
      ['busy', total - idle],
    ]
  })
  set.gauge(
    'patmint_database_connection_waiters',
    'Who waits for a connection of the pool',
    () => (current().pool?.() ?? NO_POOL).waiting,
  )
  set.gauge(
    'patmint_ledger_waiting_records',
    'Audit records that wait for the transaction under way to end',
    () => current().waitingRecords?.() ?? 0,
  )
  set.gauge(
    'patmint_hash_queue_depth',
    'Secrets that wait for a thread to be compared on',
    () => current().waitingHashes?.() ?? 0,
  )
  set.gaugeBy(
    'patmint_signing_key_activated_timestamp_seconds',
    'When the key that signs with this algorithm began to',
    'alg',
    () => Array.from(current().keyActivations?.() ?? [], ([alg, at]) => [alg, toSeconds(at)] as const),
    'max',
  )
  set.gauge(
    'patmint_status_list_age_seconds',
    'How old the token status list was that was given out last',
    () => current().statusListAgeSeconds?.() ?? 0,
    'max',
  )
  set.counterRead(
    'patmint_requests_shed_total',
    'Requests turned away unheard: there was too much to do, or their sender had failed too often',
    'reason',
    () => current().shed?.() ?? [],
  )
  // Last: it takes a connection of the pool, which a scrape is not to see busy with itself.
  set.gauge(
    'patmint_database_up',
    'Whether the database would take a record, asked at this scrape',
    async () => Number((await current().databaseAnswers?.()) ?? false),
    'min',
  )
}

function createTaskMeter(set: MetricSet): Meter['taskEnded'] {
  const lastSuccesses = new Map<string, number>()
  const countFailure = set.counterOf('patmint_task_failures_total', 'Failed runs of background tasks', [
    'task',
  ])
  const failures = new Map<string, Count>()
  set.gaugeBy(
    'patmint_task_last_success_timestamp_seconds',
    'When a background task last succeeded; 0 as long as it has not',
    'task',
    () => lastSuccesses,
    // Of workers the one that is furthest behind.
    'min',
  )
  return (task, end, at) => {
    const count = failures.get(task) ?? countFailure(task)
    failures.set(task, count)
    if (!lastSuccesses.has(task)) lastSuccesses.set(task, 0)
    if (end === 'success') lastSuccesses.set(task, toSeconds(at))
    else count()
  }
}

// The jobs of notices, kept in the database by pg-boss, of which this is the only importer: where they are kept, how often
// one is tried, and which of all instances does what when. What a job does is given.

import { fromKysely, type JobResult, PgBoss, type QueueOptions } from 'pg-boss'
import type { Queryable } from '../db/database.ts'
import type { StatementPool } from '../db/statement-pool.ts'
import type { Transaction } from '../db/transaction.ts'
import type { Notice } from './notice-store.ts'

export interface QueueSettings {
  readonly queueSchema: string
  readonly timeoutMs: number
  readonly attempts: number
  readonly retrySeconds: number
  readonly checkMinutes: number
}

/** How a try ended: `again` is tried again until there were enough tries, `never` is not. */
export type TryEnd = 'done' | 'again' | 'never'

export interface Tasks {
  /** Looks for what is due. */
  readonly scan: (signal: AbortSignal) => Promise<void>
  readonly deliver: (noticeId: string, signal: AbortSignal) => Promise<TryEnd>
  /** Told of a notice that will not be tried again. */
  readonly giveUp: (noticeId: string) => Promise<void>
  readonly onError: (error: Error) => void
}

export interface NoticeJob {
  readonly noticeId: string
}

const SCAN = 'notice-scan'
const GIVEN_UP = 'notice-given-up'
const QUEUE_OF = { email: 'notice-email', webhook: 'notice-webhook' } as const

/** For the statements before and after a try, beside as long again as it may take. Then it is taken for lost. */
const TRY_GRACE_SECONDS = 5
const MOST_RETRY_SECONDS = 6 * 3600
const DAY_SECONDS = 86_400
/** How often is looked for jobs whose instance is gone. */
const SUPERVISE_SECONDS = 5
/** Of one queue in one instance. */
const AT_ONCE = 10
/** Before the deadline of the whole stop. */
const STOP_MS = 2500

const RESULT_OF = { done: 'completed', again: 'failed', never: 'deadletter' } as const satisfies Record<
  TryEnd,
  JobResult['status']
>

const open = (
  executeSql: StatementPool['run'],
  schema: string,
  options: { readonly supervise: boolean; readonly createSchema?: boolean },
): PgBoss =>
  new PgBoss({
    db: { executeSql },
    schema,
    schedule: options.supervise,
    supervise: options.supervise,
    createSchema: options.createSchema ?? false,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    maintenanceIntervalSeconds: 3600,
    registerInstance: false,
    monitorVacuum: false,
    openTelemetry: { enabled: false },
  })

/** Makes the schema or brings it to this version of pg-boss, and makes the queues. Instances wait for one another. */
export async function installQueues(run: StatementPool['run'], settings: QueueSettings): Promise<void> {
  // Who made it for the account need not let it make others.
  const { rows } = await run('select to_regnamespace($1) is null as "isMissing"', [settings.queueSchema])
  const boss = open(run, settings.queueSchema, {
    supervise: false,
    createSchema: rows[0]?.['isMissing'] !== false,
  })
  // Whatever fails here fails the call that led to it.
  boss.on('error', () => {})
  await boss.start()
  try {
    for (const [name, options] of listQueues(settings)) {
      await boss.createQueue(name, name === SCAN ? { ...options, policy: 'short' } : options)
      await boss.updateQueue(name, options)
    }
    await boss.schedule(SCAN, `*/${settings.checkMinutes} * * * *`)
  } finally {
    await boss.stop({ close: false, graceful: false })
  }
}

type NamedQueue = readonly [string, QueueOptions & { readonly deadLetter?: string }]

function listQueues({ timeoutMs, attempts, retrySeconds }: QueueSettings): NamedQueue[] {
  const kept = { retentionSeconds: 90 * DAY_SECONDS, deleteAfterSeconds: 3600 }
  const delivery = {
    ...kept,
    deadLetter: GIVEN_UP,
    expireInSeconds: Math.ceil((2 * timeoutMs) / 1000) + TRY_GRACE_SECONDS,
    retryLimit: attempts - 1,
    retryDelay: retrySeconds,
    retryBackoff: true,
    retryDelayMax: MOST_RETRY_SECONDS,
  }
  return [
    // Another look comes soon anyway.
    [SCAN, { ...kept, expireInSeconds: 600, retryLimit: 0 }],
    [
      GIVEN_UP,
      {
        ...kept,
        expireInSeconds: 60,
        retryLimit: 100,
        retryDelay: 10,
        retryBackoff: true,
        retryDelayMax: 600,
      },
    ],
    [QUEUE_OF.email, delivery],
    [QUEUE_OF.webhook, delivery],
  ]
}

/** Makes the jobs of notices, in the transaction of whatever calls for them. */
export type EnqueueNotices = (
  transaction: Transaction,
  notices: readonly Pick<Notice, 'id' | 'channel'>[],
) => Promise<void>

export function createEnqueue(
  db: Queryable,
  { queueSchema }: Pick<QueueSettings, 'queueSchema'>,
): EnqueueNotices {
  const boss = open(async (text, values) => fromKysely(db).executeSql(text, values), queueSchema, {
    supervise: false,
  })
  return async (transaction, notices) => {
    for (const channel of ['email', 'webhook'] as const) {
      const jobs = notices
        .filter((notice) => notice.channel === channel)
        .map(({ id }) => ({ data: { noticeId: id } }))
      if (jobs.length > 0) await boss.insert(QUEUE_OF[channel], jobs, { db: fromKysely(transaction) })
    }
  }
}

/** Has this instance take its share of the jobs, beginning with a look for what is due; gives how to stop. */
export async function workOnQueues(
  run: StatementPool['run'],
  { queueSchema }: Pick<QueueSettings, 'queueSchema'>,
  tasks: Tasks,
): Promise<() => Promise<void>> {
  const boss = open(run, queueSchema, { supervise: true })
  boss.on('error', tasks.onError)
  boss.on('warning', ({ message }) => tasks.onError(new Error(message)))
  await boss.start()
  // Before anybody looks for it and sleeps. Dropped when another instance asked for the same and nobody has begun.
  await boss.send(SCAN)
  await boss.work<NoticeJob>(GIVEN_UP, MANY, async (jobs) => {
    for (const { data } of jobs) await tasks.giveUp(data.noticeId)
  })
  const deliverers: string[] = []
  for (const queue of Object.values(QUEUE_OF)) {
    const deliverer = await boss.work<NoticeJob, JobResult[], OftenOptions>(queue, OFTEN, (jobs) =>
      Promise.all(
        jobs.map(async ({ id, data, signal }) => ({
          id,
          status: RESULT_OF[await tasks.deliver(data.noticeId, signal)],
        })),
      ),
    )
    deliverers.push(deliverer)
  }
  await boss.work(SCAN, SELDOM, async ([job]) => {
    if (job) await tasks.scan(job.signal)
    // What it found need not wait for the next look at those queues.
    for (const deliverer of deliverers) boss.notifyWorker(deliverer)
  })
  return () => boss.stop({ close: false, timeout: STOP_MS })
}

const SELDOM = { pollingIntervalSeconds: 5 } as const
const MANY = { pollingIntervalSeconds: 2, batchSize: 100, burstWhenBatchFull: true } as const
const OFTEN = {
  pollingIntervalSeconds: 2,
  batchSize: AT_ONCE,
  burstWhenBatchFull: true,
  perJobResults: true,
} as const
type OftenOptions = typeof OFTEN

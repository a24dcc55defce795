// Notices of credentials about to end, put together: their jobs, the ways they go out, and what is told of them. Done by
// one process of an instance, and by none where nobody is to be told.

import type { Foundation } from './compose.ts'
import type { NoticeSettings } from './config/notices.ts'
import { openStatementPool } from './db/statement-pool.ts'
import { instrument } from './instrument.ts'
import { createDeliver, type Outcome, type Ways } from './notices/deliver.ts'
import { createMail } from './notices/mail.ts'
import { countOpenNotices, failNotice } from './notices/notice-store.ts'
import { createEnqueue, installQueues, type Tasks, workOnQueues } from './notices/queue.ts'
import { createReceiverLog } from './notices/receiver-log.ts'
import { createScan, type Receiver } from './notices/scan.ts'
import { createWebhook } from './notices/webhook.ts'
import type { Upkeep } from './prepare-database.ts'
import { repeat, watch } from './repeat.ts'

/** For the statements of the queue alone. */
const QUEUE_CONNECTIONS = 2
/** Of what goes wrong with the queue, one line in so long. */
const ERROR_LINE_MS = 60_000
/** What a mail goes to. */
const EMAIL: Receiver = { channel: 'email', receiver: 'email' }

/** Makes what notices need in a migrated database; nothing where they are off. */
export async function installNotices(
  { notices }: Pick<Foundation['config'], 'notices'>,
  databaseUrl: string,
): Promise<void> {
  if (!notices) return
  const pool = openStatementPool({ url: databaseUrl, maxConnections: 1 })
  try {
    await installQueues(pool.run, notices)
  } finally {
    await pool.close()
  }
}

/** Has this process take part in finding and sending what is due. */
export async function startNotices(foundation: Foundation, databaseUrl: string): Promise<Upkeep> {
  const { config, db, log, clock, telemetry } = foundation
  const { notices } = config
  if (!notices) return { stop: async () => {} }
  const onConnectionError = (error: Error): void => log.warn({ err: error }, 'database connection lost')
  const pool = openStatementPool({ url: databaseUrl, maxConnections: QUEUE_CONNECTIONS, onConnectionError })
  const stopWorking = await workOnQueues(pool.run, notices, composeTasks(foundation, notices))
  const counts = new Map<string, number>()
  telemetry.meter?.watch({ openNotices: () => counts })
  const watched = instrument(telemetry)
  const count = repeat({ log, clock, watched }, 'notice count', { seconds: 60 }, async () => {
    for (const [state, number] of Object.entries(await countOpenNotices(db, clock())))
      counts.set(state, number)
  })
  return {
    stop: async () => {
      await Promise.all([count.stop(), stopWorking()])
      await pool.close()
    },
  }
}

function composeTasks(foundation: Foundation, notices: NoticeSettings): Tasks {
  const { db, log, clock, telemetry } = foundation
  const { meter } = telemetry
  const tellReceiver = createReceiverLog(log)
  const onOutcome = (outcome: Outcome): void => {
    meter?.countNotice(outcome.notice.channel, outcome.end)
    tellReceiver(outcome)
  }
  const look = createScan({
    db,
    enqueue: createEnqueue(db, notices),
    receivers: listReceivers(notices),
    clock,
    ...notices,
  })
  const scan = watch({ log, clock, watched: instrument(telemetry) }, 'notices', look)
  return {
    scan: async (signal) => {
      try {
        await scan.run(signal)
      } catch (error) {
        scan.onError(error)
        throw error
      }
    },
    deliver: createDeliver({ db, ways: composeWays(foundation, notices), clock, onOutcome }),
    giveUp: async (noticeId) => {
      const notice = await failNotice(db, noticeId, clock())
      if (notice) meter?.countNotice(notice.channel, 'failed')
    },
    onError: createErrorLog(foundation),
  }
}

const listReceivers = ({ email, webhooks }: NoticeSettings): Receiver[] => [
  ...(email ? [EMAIL] : []),
  ...webhooks.map(({ name }): Receiver => ({ channel: 'webhook', receiver: name })),
]

function composeWays({ issuer, clock }: Foundation, { email, webhooks, timeoutMs }: NoticeSettings): Ways {
  const shared = { timeoutMs, clock }
  return {
    mail: email && createMail({ ...email, issuer, ...shared }),
    webhooks: new Map(
      webhooks.map(({ name, url, secrets }) => [name, createWebhook({ url, secrets, ...shared })]),
    ),
  }
}

/** While the database is away every look at a queue fails, some of them each second. */
function createErrorLog({ log, clock }: Foundation): (error: Error) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return (error) => {
    const now = clock().getTime()
    if (now - toldAt < ERROR_LINE_MS) return
    toldAt = now
    // Some of them are no errors but look like one.
    const err = error instanceof Error ? error : new Error(String((error as { message?: unknown }).message))
    log.error({ err, task: 'notices' }, 'background task failed')
  }
}

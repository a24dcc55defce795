// One try to deliver one notice: look whether it is still true, send it, and write down how that went.

import { setTimeout as sleep } from 'node:timers/promises'
import { findStandings } from '../credential/standing-store.ts'
import type { Database } from '../db/database.ts'
import { type Cancellation, judgeNotice } from './judge.ts'
import { listReachable, type SendMail } from './mail.ts'
import {
  DeliveryProblem,
  type Message,
  PartlyDelivered,
  type Recipient,
  type Send,
  tellReason,
} from './message.ts'
import { findNotice, hasNearer, type Notice, noteFailedTry, settleNotice } from './notice-store.ts'
import { findActivePerson, listKeyAdmins } from './people-store.ts'
import type { TryEnd } from './queue.ts'

export interface Ways {
  /** Undefined: no mail is sent. */
  readonly mail: SendMail | undefined
  /** By name. */
  readonly webhooks: ReadonlyMap<string, Send>
}

/** What became of one try, for whoever counts and logs. */
export interface Outcome {
  readonly notice: Pick<Notice, 'channel' | 'receiver'>
  readonly end: 'delivered' | 'cancelled' | 'retried'
  /** Of what was not delivered. */
  readonly reason: string | null
}

export interface DeliverOptions {
  readonly db: Database
  readonly ways: Ways
  readonly clock: () => Date
  readonly onOutcome: (outcome: Outcome) => void
}

type Deliver = (noticeId: string, signal: AbortSignal) => Promise<TryEnd>

export function createDeliver({ db, ways, clock, onOutcome }: DeliverOptions): Deliver {
  const prepare = async (notice: Notice): Promise<Message | Cancellation> => {
    const [standing] = await findStandings(db, [notice.credentialId])
    const owner = standing?.owner ? await findActivePerson(db, standing.owner.id) : undefined
    const circumstances = { standing, owner: owner ?? null, hasNearer: await hasNearer(db, notice) }
    return judgeNotice(notice, circumstances, clock())
  }

  const address = async (notice: Notice, message: Message): Promise<Cancellation | SendIt> => {
    if (notice.channel === 'webhook') {
      const send = ways.webhooks.get(notice.receiver)
      return send ? (signal) => send(message, signal) : 'receiver_removed'
    }
    const { mail } = ways
    if (!mail) return 'receiver_removed'
    const { owner } = message
    const people = listReachable(owner ? [owner] : await listKeyAdmins(db, notice.organizationId))
    if (people.length === 0) return 'nobody_to_tell'
    return (signal) =>
      mailRest(
        mail,
        message,
        people.filter(({ id }) => !notice.told.includes(id)),
        signal,
      )
  }

  return async (noticeId, signal) => {
    const notice = await findNotice(db, noticeId)
    // Whoever had it before may have been through but for the last word.
    if (notice?.state !== 'pending') return 'done'
    const message = await prepare(notice)
    const send = typeof message === 'string' ? message : await address(notice, message)
    if (typeof send === 'string') {
      await settleNotice(db, noticeId, { state: 'cancelled', reason: send, now: clock() })
      onOutcome({ notice, end: 'cancelled', reason: send })
      return 'done'
    }
    try {
      await send(signal)
    } catch (error) {
      const reason = tellReason(error)
      onOutcome({ notice, end: 'retried', reason })
      const told = error instanceof PartlyDelivered ? error.told : []
      await persist(signal, () => noteFailedTry(db, noticeId, { reason, told, now: clock() }))
      return error instanceof DeliveryProblem && error.isFinal ? 'never' : 'again'
    }
    onOutcome({ notice, end: 'delivered', reason: null })
    // What was sent must not be sent again because the database was away for a moment.
    await persist(signal, () =>
      settleNotice(db, noticeId, { state: 'delivered', reason: null, now: clock() }),
    )
    return 'done'
  }
}

/** Those who are left may have left. */
const mailRest = async (
  mail: SendMail,
  message: Message,
  people: readonly Recipient[],
  signal: AbortSignal,
): Promise<void> => {
  if (people.length > 0) await mail(message, people, signal)
}

type SendIt = (signal: AbortSignal) => Promise<void>

const PERSIST_EVERY_MS = 500

/** Tries until it is done, or there is no more time. */
async function persist(signal: AbortSignal, write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await write()
    } catch (error) {
      if (signal.aborted) throw error
      await sleep(PERSIST_EVERY_MS)
    }
  }
}

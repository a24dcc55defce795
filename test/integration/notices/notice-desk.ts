// Notices found and sent in the test's own process: a look by a clock that is set, and its jobs done when the test says so.

import { createDeliver, type Outcome, type Ways } from '../../../src/server/notices/deliver.ts'
import type { Message } from '../../../src/server/notices/message.ts'
import type { TryEnd } from '../../../src/server/notices/queue.ts'
import { createScan, type Receiver, type ScanOptions } from '../../../src/server/notices/scan.ts'
import { type Acme, startAcme } from '../../support/acme.ts'
import { callApi } from '../../support/requests.ts'

export const DAY_SECONDS = 86_400
export const CHAT: Receiver = { channel: 'webhook', receiver: 'chat' }
export const EMAIL: Receiver = { channel: 'email', receiver: 'email' }

export interface NoticeDesk extends Acme {
  /** What the webhook `chat` was given. */
  readonly chat: readonly Message[]
  /** Takes what is next from now on; its clock is so many days ahead of ours. */
  readonly setDays: (days: number) => void
  /** Gives the ids of notices that wait since this look. */
  readonly look: (options?: Partial<Pick<ScanOptions, 'receivers' | 'keepDays'>>) => Promise<string[]>
  /** Tries each of them once. */
  readonly deliver: (ids: readonly string[], ways?: Partial<Ways>) => Promise<TryEnd[]>
  readonly outcomes: readonly Outcome[]
  readonly call: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>
}

export async function startNoticeDesk(): Promise<NoticeDesk> {
  const acme = await startAcme()
  const chat: Message[] = []
  const outcomes: Outcome[] = []
  let days = 0
  const clock = (): Date => new Date(Date.now() + days * DAY_SECONDS * 1000)
  const chatWays: Ways = {
    mail: undefined,
    webhooks: new Map([['chat', async (message) => void chat.push(message)]]),
  }
  return {
    ...acme,
    chat,
    outcomes,
    setDays: (next) => {
      days = next
    },
    look: async (options) => {
      const waiting: string[] = []
      const scan = createScan({
        db: acme.db,
        enqueue: async (_transaction, notices) => void waiting.push(...notices.map(({ id }) => id)),
        days: [1, 7, 30],
        keepDays: 90,
        receivers: [CHAT],
        clock,
        ...options,
      })
      await scan(new AbortController().signal)
      return waiting
    },
    deliver: async (ids, ways) => {
      const deliver = createDeliver({
        db: acme.db,
        ways: { ...chatWays, ...ways },
        clock,
        onOutcome: (outcome) => outcomes.push(outcome),
      })
      const ends: TryEnd[] = []
      for (const id of ids) ends.push(await deliver(id, AbortSignal.timeout(10_000)))
      return ends
    },
    call: async (method, path, body) => (await callApi(acme.url, acme.adminToken, method, path, body)).json,
  }
}

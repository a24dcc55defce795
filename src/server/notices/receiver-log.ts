// The log of receivers, as dense as it is useful: a line when one begins to fail, and one when it takes notices again.

import type { Logger } from '../http/log.ts'
import type { Outcome } from './deliver.ts'

export function createReceiverLog(log: Pick<Logger, 'warn' | 'info'>): (outcome: Outcome) => void {
  const failing = new Set<string>()
  return ({ notice: { receiver }, end, reason }) => {
    if (end === 'retried' && !failing.has(receiver)) {
      failing.add(receiver)
      log.warn({ receiver, reason }, 'notices do not arrive')
    }
    if (end === 'delivered' && failing.delete(receiver)) log.info({ receiver }, 'notices arrive again')
  }
}

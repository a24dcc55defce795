// What an overload leaves in the log: that it began, and while it lasts a line now and then. A line for every request
// would be more of the same load.

import type { OverloadReason } from '../../protocol/overload.ts'
import type { Logger } from './log.ts'

const QUIET_MS = 10_000

export function createOverloadLog(log: Logger, clock: () => Date): (reason: OverloadReason) => void {
  let quietUntil = 0
  let untold = 0
  return (reason) => {
    const now = clock().getTime()
    if (now < quietUntil) {
      untold += 1
      return
    }
    log.warn({ reason, untold }, 'overloaded')
    quietUntil = now + QUIET_MS
    untold = 0
  }
}

// A closed loop: every connection sends its next request when the last one was answered. Finds the highest rate; its
// latencies flatter a server that stalls, because it is asked less often then.

import { Connection } from './connection.ts'
import type { Load, LoadOptions } from './load.ts'
import type { Tally } from './tally.ts'

/** Starts the loop. Rejects when a connection cannot be made at first. */
export async function startClosedLoop({ target, connections, next, origins }: LoadOptions): Promise<Load> {
  let tally: Tally | null = null
  let isStopped = false

  /** Resolves when the connection is lost or has had its share, or the loop is stopped; true: requests are spent. */
  const sendOn = (connection: Connection): Promise<boolean> =>
    new Promise((resolve) => {
      let left = origins?.requests ?? Number.POSITIVE_INFINITY
      const sendNext = (): void => {
        left -= 1
        const request = isStopped || left < 0 || !connection.isOpen ? undefined : next()
        if (!request) {
          resolve(request === null)
          return
        }
        const sentAt = performance.now()
        connection.send(request, (status, body) => {
          tally?.add(performance.now() - sentAt, status, body)
          sendNext()
        })
      }
      sendNext()
    })

  /** What was lost with a connection has been counted; it is replaced, as a client would. */
  const keepSending = async (first: Connection): Promise<void> => {
    let connection: Connection | undefined = first
    while (connection) {
      const isSpent = await sendOn(connection)
      connection.close()
      if (isSpent) return
      connection = await Connection.reopen(target, origins?.next(), () => isStopped)
    }
  }

  const opening = Array.from({ length: connections }, () => Connection.open(target, origins?.next()))
  const lanes = Promise.all((await Promise.all(opening)).map(keepSending))
  const spent = lanes.then(() => {})
  return {
    count: (next) => {
      tally = next
    },
    spent,
    stop: () => {
      isStopped = true
      return spent
    },
  }
}

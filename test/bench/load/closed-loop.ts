// A closed loop: every connection sends its next request when the last one was answered. Finds the highest rate; its
// latencies flatter a server that stalls, because it is asked less often then.

import { Connection } from './connection.ts'
import type { Load, LoadOptions } from './load.ts'
import type { Tally } from './tally.ts'

/** Starts the loop. Rejects when a connection cannot be made at first. */
export async function startClosedLoop({ target, connections, next, from }: LoadOptions): Promise<Load> {
  let tally: Tally | null = null
  let isStopped = false

  /** Resolves when the connection is lost, the loop stopped or the requests spent; the last gives true. */
  const sendOn = (connection: Connection): Promise<boolean> =>
    new Promise((resolve) => {
      const sendNext = (): void => {
        const request = isStopped || !connection.isOpen ? undefined : next()
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

  /** A lost connection was counted as a failed request; it is replaced, as a client would. */
  const keepSending = async (first: Connection, address: string | undefined): Promise<void> => {
    let connection: Connection | undefined = first
    while (connection) {
      const isSpent = await sendOn(connection)
      connection.close()
      if (isSpent) return
      connection = await Connection.reopen(target, address, () => isStopped)
    }
  }

  const addresses = Array.from({ length: connections }, (_, index) => from?.[index % from.length])
  const opened = await Promise.all(addresses.map((address) => Connection.open(target, address)))
  const lanes = Promise.all(opened.map((connection, index) => keepSending(connection, addresses[index])))
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

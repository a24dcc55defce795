// A closed loop: every connection sends its next request when the last one was answered. Finds the highest rate; its
// latencies say little, because a slow server is asked less often.

import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, type Target } from './connection.ts'
import type { Tally } from './tally.ts'

export interface Load {
  /** From here on answers are counted; null: no longer. */
  count(tally: Tally | null): void
  /** Sends nothing more, and waits for what is under way. */
  stop(): Promise<void>
}

export interface ClosedLoopOptions {
  readonly target: Target
  readonly connections: number
  /** The next request; null when there are no more. */
  readonly next: () => Buffer | null
  /** This machine's own addresses the connections come from, in turn. */
  readonly from?: readonly string[]
}

/** Between attempts to connect anew. */
const RECONNECT_MS = 20

/** Starts the loop. Rejects when a first connection cannot be made. */
export async function startClosedLoop({ target, connections, next, from }: ClosedLoopOptions): Promise<Load> {
  let tally: Tally | null = null
  let isStopped = false

  const sendOn = (connection: Connection): Promise<void> =>
    new Promise((resolve) => {
      const sendNext = (): void => {
        const request = isStopped || !connection.isOpen ? null : next()
        if (request === null) {
          resolve()
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

  /** A lost connection has been counted as a failed request; it is replaced, as a client would. */
  const keepSending = async (first: Connection, address: string | undefined): Promise<void> => {
    let connection = first
    for (;;) {
      await sendOn(connection)
      if (isStopped || connection.isOpen) break
      await sleep(RECONNECT_MS)
      connection = await Connection.open(target, address).catch(() => connection)
    }
    connection.close()
  }

  const addresses = Array.from({ length: connections }, (_, index) => from?.[index % from.length])
  const opened = await Promise.all(addresses.map((address) => Connection.open(target, address)))
  const lanes = opened.map((connection, index) => keepSending(connection, addresses[index]))
  return {
    count: (next) => {
      tally = next
    },
    stop: async () => {
      isStopped = true
      await Promise.all(lanes)
    },
  }
}

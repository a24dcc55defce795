// The worker's side: does what the primary orders, and leaves when it is told to or when the primary is gone. What the
// duties are about it does not know.

import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import { type Address, type Assignment, isOrder, type Order, type Report } from './message.ts'

export interface Duties {
  /** Gives the port. */
  readonly listen: (address: Address) => Promise<number>
  readonly compose: (assignment: Assignment) => Promise<void>
  /** What there is to be said of the process in numbers. */
  readonly measure: () => Promise<unknown>
  /** Finishes everything; at once, once `hurry` is aborted. */
  readonly leave: (hurry: AbortSignal) => Promise<void>
}

/** Resolves when the worker has left. Rejects when a duty fails, which it has told the primary by then. */
export async function followOrders(worker: Worker, duties: Duties): Promise<void> {
  const hurry = new AbortController()
  const { promise: dismissed, resolve: dismiss } = Promise.withResolvers<void>()
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const carryOut = createCarryOut(duties)
  worker.on('message', (message: unknown) => {
    if (!isOrder(message)) return
    if (message.type === 'patmint:stop') hurry.abort()
    if (message.type === 'patmint:stop' || message.type === 'patmint:retire') dismiss()
    else carryOut(message).then((report) => tell(worker, report), fail)
  })
  worker.once('disconnect', () => {
    hurry.abort()
    dismiss()
  })
  // Else Node.js ends a worker that has lost its primary at once, and with it whatever it is answering.
  worker.exitedAfterDisconnect = true
  await tell(worker, { type: 'patmint:attentive' })
  await Promise.race([dismissed, failed])
  await duties.leave(hurry.signal)
  await disconnect(worker)
}

const createCarryOut =
  ({ listen, compose, measure }: Duties) =>
  async (order: Exclude<Order, { type: 'patmint:retire' | 'patmint:stop' }>): Promise<Report> => {
    if (order.type === 'patmint:measure')
      return { type: 'patmint:measured', snapshot: await measure().catch(() => null) }
    if (order.type === 'patmint:listen')
      return { type: 'patmint:listening', port: await listen(order.address) }
    await compose(order.assignment)
    return { type: 'patmint:composed' }
  }

/** Says something to the primary; resolves when it is on its way, or when there is nobody to tell. */
export const tell = (worker: Worker, report: Report): Promise<void> =>
  new Promise((resolve) => {
    if (worker.isConnected()) worker.send(report, () => resolve())
    else resolve()
  })

/**
 * Node.js asks the primary first, whose answer comes after every connection it had sent here: those go back to it, for
 * another worker. To just exit would lose them.
 */
async function disconnect(worker: Worker): Promise<void> {
  if (!worker.isConnected()) return
  const disconnected = once(worker, 'disconnect')
  worker.disconnect()
  await disconnected
}

// One worker: composes, listens and leaves as its primary orders. What exists once it finds made.

import type { Worker } from 'node:cluster'
import { composeServer } from './compose.ts'
import { Entrance } from './http/entrance.ts'
import type { OperatorContext } from './operator.ts'
import { closeServing, openServing, STOP_MS, withinDeadline } from './serving.ts'
import { startTelemetry } from './start-telemetry.ts'
import { followOrders } from './workers/follow-orders.ts'
import type { Assignment } from './workers/message.ts'

/** Before the primary abandons it. */
const LEAVE_MS = STOP_MS - 500

/** Serves until the primary dismisses it, or is gone. Rejects when it cannot do what it was ordered. */
export async function work(context: OperatorContext, worker: Worker): Promise<void> {
  const { log } = context
  const telemetry = await startTelemetry(context)
  const entrance = new Entrance(context.config.keepAliveSeconds * 1000, log)
  let stopServing = async (): Promise<void> => {}

  const compose = async ({ issuer, databaseUrl, dataDir }: Assignment): Promise<void> => {
    const config = { ...context.config, dataDir }
    const options = openServing({ ...context, config, issuer, databaseUrl, telemetry })
    const server = await composeServer(options)
    entrance.answerWith(server.handle)
    stopServing = async () => {
      await server.drain()
      await closeServing(options)
    }
  }
  const leave = async (hurry: AbortSignal): Promise<void> => {
    await entrance.handOver(hurry)
    await withinDeadline(log, LEAVE_MS, async () => {
      await entrance.drain()
      await stopServing()
      await telemetry.stop()
    })
  }
  await followOrders(worker, {
    listen: ({ host, port }) => entrance.listen(port, host),
    compose,
    measure: async () => telemetry.meter?.snapshot() ?? null,
    leave,
  })
}

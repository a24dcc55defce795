// How many requests may work at once. What is beyond that is refused at once, while there is time to say so, rather
// than queue for a database and for threads that are busy. A request holds its place from its first look-up on: one
// whose body is still coming holds none, so that slow senders cannot take them all.

import type { IncomingMessage } from 'node:http'
import type { Middleware } from 'koa'
import { OverloadError, type OverloadReason } from '../../protocol/overload.ts'

/** Takes a place for a request that is about to work; throws an `OverloadError` when there is none. */
export type TakePlace = (ctx: { readonly req: IncomingMessage }) => void

export class InFlight {
  readonly #limit: number
  readonly #onOverload: (reason: OverloadReason) => void
  readonly #holders = new Set<IncomingMessage>()

  constructor(limit: number, onOverload: (reason: OverloadReason) => void) {
    this.#limit = limit
    this.#onOverload = onOverload
  }

  get size(): number {
    return this.#holders.size
  }

  readonly take: TakePlace = ({ req }) => {
    if (this.#holders.has(req)) return
    if (this.#holders.size >= this.#limit) {
      this.#onOverload('too_many_in_flight')
      throw new OverloadError('too_many_in_flight')
    }
    this.#holders.add(req)
  }

  /**
   * Gives the place back when the work is done. Not when the connection breaks: the database goes on with what a client
   * that went away has asked for.
   */
  readonly giveBack: Middleware = async (ctx, next) => {
    try {
      await next()
    } finally {
      this.#holders.delete(ctx.req)
    }
  }
}

// Where a request comes from, for the audit records of what it changes.

import type { Context } from 'koa'
import type { Origin } from '../ledger/change.ts'

/** `actor` is the caller's subject; null when the request says nothing of who makes it. */
export const describeOrigin = (ctx: Context, at: Date, actor: string | null): Origin => ({
  actor,
  at,
  ip: ctx.ip,
  userAgent: ctx.get('User-Agent') || undefined,
  requestId: String(ctx.state['requestId']),
})

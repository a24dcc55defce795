// Endpoints of OAuth where a DPoP proof (RFC 9449) has no meaning: nothing they do is bound to a key. Whoever sends one
// believes that it is, so they are told rather than ignored.

import type { Middleware } from 'koa'

/** Refuses requests below `prefix` that bring a proof. */
export function refuseProofs(prefix: string): Middleware {
  return (ctx, next) => {
    if (ctx.req.headers['dpop'] === undefined || !ctx.path.startsWith(prefix)) return next()
    ctx.status = 400
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { error: 'invalid_request', error_description: 'a DPoP proof has no meaning here' }
    return
  }
}

// `patmint/verify/koa`: middleware for Koa. The claims of a good token are `ctx.state.auth`.

import type { VerifiedClaims } from './check-claims.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuard } from './guard-request.ts'
import { readNodeRequest } from './read-node-request.ts'

export type { GuardOptions, ScopeOf } from './guard-options.ts'

/** State of a context behind the middleware: `new Koa<AuthState>()`, `new Router<AuthState>()`. */
export interface AuthState {
  auth: VerifiedClaims
}

/** The part of Koa's context that is used. */
export interface KoaContext {
  readonly method: string
  readonly originalUrl: string
  readonly req: { readonly rawHeaders: readonly string[] }
  readonly state: Partial<AuthState>
  status: number
  body: unknown
  set(headers: Record<string, string>): void
}

/** Lets a request with a good token on, and answers any other. Throws a `TypeError` for wrong options. */
export function requireToken<Context extends KoaContext>(
  options: GuardOptions<Context>,
): (ctx: NoInfer<Context>, next: () => Promise<unknown>) => Promise<void> {
  const guard = createGuard(options)
  return async (ctx, next) => {
    const { method, originalUrl, req } = ctx
    const outcome = await guard(readNodeRequest({ method, originalUrl, rawHeaders: req.rawHeaders }), ctx)
    if (outcome.ok) {
      ctx.state.auth = outcome.value
      await next()
      return
    }
    ctx.status = outcome.error.status
    ctx.body = outcome.error.body
    ctx.set(outcome.error.headers)
  }
}

// `patmint/verify/hono`: middleware for Hono. The claims of a good token are `c.var.auth`.

import type { VerifiedClaims } from './check-claims.ts'
import { type FetchRequest, readFetchRequest } from './fetch.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuard } from './guard-request.ts'

export type { GuardOptions, ScopeOf } from './guard-options.ts'

/** Variables of a context behind the middleware: `new Hono<{ Variables: AuthVariables }>()`. */
export interface AuthVariables {
  auth: VerifiedClaims
}

/** The part of Hono's context that is used. */
export interface HonoContext {
  readonly req: { readonly raw: FetchRequest }
  set(name: 'auth', value: VerifiedClaims): void
}

/** Lets a request with a good token on, and answers any other. Throws a `TypeError` for wrong options. */
export function requireToken<Context extends HonoContext>(
  options: GuardOptions<Context>,
): (c: NoInfer<Context>, next: () => Promise<void>) => Promise<Response | undefined> {
  const guard = createGuard(options)
  return async (c, next) => {
    const outcome = await guard(readFetchRequest(c.req.raw), c)
    if (!outcome.ok) {
      const { status, headers, body } = outcome.error
      return new Response(body, { status, headers })
    }
    c.set('auth', outcome.value)
    await next()
    return undefined
  }
}

// `patmint/verify/express`: middleware for Express 5 and 4. The claims of a good token are `req.auth`.

import type { VerifiedClaims } from './check-claims.ts'
import { expectClaims } from './expect-claims.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuard, type RefusedRequest } from './guard-request.ts'
import { type NodeRequest, readNodeRequest } from './read-node-request.ts'

export type { GuardOptions, ScopeOf } from './guard-options.ts'

declare global {
  // The name under which @types/express lets others add to a request; without it this says nothing to anybody.
  namespace Express {
    interface Request {
      auth?: VerifiedClaims
    }
  }
}

/** The part of Express' request that is used. */
export interface ExpressRequest extends NodeRequest {
  auth?: VerifiedClaims
}

/** The part of Express' response that is used: what Node.js has by itself. */
export interface ExpressResponse {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(body: string): unknown
}

/** The claims, for a handler behind the middleware. Throws a `TypeError` where none ran. */
export const readClaims = ({ auth }: Pick<ExpressRequest, 'auth'>): VerifiedClaims => expectClaims(auth)

/** Lets a request with a good token on, and answers any other. Throws a `TypeError` for wrong options. */
export function requireToken<Request extends ExpressRequest>(
  options: GuardOptions<Request>,
): (req: NoInfer<Request>, res: ExpressResponse, next: (error?: unknown) => void) => Promise<void> {
  const guard = createGuard(options)
  return async (req, res, next) => {
    // Express 4 does not look at what a middleware rejects with.
    const outcome = await guard(readNodeRequest(req), req).catch(next)
    if (outcome?.ok === false) answer(res, outcome.error)
    if (!outcome?.ok) return
    req.auth = outcome.value
    next()
  }
}

function answer(res: ExpressResponse, { status, headers, body }: RefusedRequest): void {
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.end(body)
}

// `patmint/verify/fetch`: for servers that speak the Fetch API, such as Workers, Bun and Deno.

import type { VerifiedClaims } from './check-claims.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuard, type GuardedRequest } from './guard-request.ts'

export type { GuardOptions, ScopeOf } from './guard-options.ts'

/** The part of a `Request` that is used. */
export interface FetchRequest {
  readonly method: string
  readonly url: string
  readonly headers: { get(name: string): string | null }
}

/** The claims of a request's token, or the response that refuses it. */
export type Authenticate<Request> = (request: Request) => Promise<VerifiedClaims | Response>

/** Makes what tells claims from refusals, for any router. Throws a `TypeError` for wrong options. */
export function createAuthenticate<Request extends FetchRequest>(
  options: GuardOptions<Request>,
): Authenticate<Request> {
  const guard = createGuard(options)
  return async (request) => {
    const outcome = await guard(readFetchRequest(request), request)
    if (outcome.ok) return outcome.value
    const { status, headers, body } = outcome.error
    return new Response(body, { status, headers })
  }
}

/**
 * Puts a handler behind it, which gets the claims after the request and then what the runtime gives besides, such as
 * `env` and `ctx` of Workers. Throws a `TypeError` for wrong options.
 */
export function requireToken<Request extends FetchRequest, Rest extends readonly unknown[]>(
  options: GuardOptions<Request>,
  handler: (request: Request, claims: VerifiedClaims, ...rest: Rest) => Response | Promise<Response>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  const authenticate = createAuthenticate(options)
  return async (request, ...rest) => {
    const answer = await authenticate(request)
    return answer instanceof Response ? answer : handler(request, answer, ...rest)
  }
}

/** `Headers` joins what came twice by a comma, which no token and no proof holds. */
export const readFetchRequest = ({ method, url, headers }: FetchRequest): GuardedRequest => ({
  method,
  target: url,
  authorization: headers.get('authorization') ?? undefined,
  dpop: headers.get('dpop') ?? undefined,
})

// `patmint/verify/fastify`: an `onRequest` hook for Fastify. The claims of a good token are `request.auth`.

import type { VerifiedClaims } from './check-claims.ts'
import { expectClaims } from './expect-claims.ts'
import type { GuardOptions } from './guard-options.ts'
import { createGuard } from './guard-request.ts'
import { readNodeRequest } from './read-node-request.ts'

export type { GuardOptions, ScopeOf } from './guard-options.ts'

/** The part of Fastify's request that is used. */
export interface FastifyRequest {
  readonly method: string
  readonly originalUrl: string
  readonly raw: { readonly rawHeaders: readonly string[] }
}

/** The part of Fastify's reply that is used. */
export interface FastifyReply {
  code(status: number): unknown
  headers(values: Record<string, string>): unknown
  send(body: string): unknown
}

/** A request behind the hook. Fastify's own type learns of it by a declaration of the service's. */
export interface Authenticated {
  auth?: VerifiedClaims | null
}

/** The claims, for a handler behind the hook. Throws a `TypeError` where none ran. */
export const readClaims = (request: FastifyRequest & Authenticated): VerifiedClaims =>
  expectClaims(request.auth)

/** Lets a request with a good token on, and answers any other. Throws a `TypeError` for wrong options. */
export function requireToken<Request extends FastifyRequest>(
  options: GuardOptions<Request>,
): (request: NoInfer<Request>, reply: FastifyReply) => Promise<unknown> {
  const guard = createGuard(options)
  return async (request, reply) => {
    const { method, originalUrl, raw } = request
    const outcome = await guard(readNodeRequest({ method, originalUrl, rawHeaders: raw.rawHeaders }), request)
    if (outcome.ok) {
      Object.assign(request, { auth: outcome.value } satisfies Authenticated)
      return undefined
    }
    const { status, headers, body } = outcome.error
    reply.code(status)
    reply.headers(headers)
    reply.send(body)
    // What Fastify takes as: the hook has answered.
    return reply
  }
}

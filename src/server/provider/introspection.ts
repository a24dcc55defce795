// `POST /oauth2/introspect` (RFC 7662). Its client is authenticated by oidc-provider, as at the token endpoint. What
// oidc-provider would say of the token, which is none of its own, is replaced then.

import type { Middleware } from 'koa'
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider'
import { parseCredential } from '../../protocol/credential.ts'
import { parseJwt } from '../../protocol/presented-jwt.ts'
import type { Introspect } from '../exchange/introspect.ts'
import { type AdmissionDependencies, authenticatedId } from './admission.ts'
import { readClient } from './grant.ts'
import { answerOutage, toAnswerable, toOAuthError } from './oauth-error.ts'
import type { ReportError } from './report.ts'

export interface IntrospectionEndpointDependencies extends Pick<AdmissionDependencies, 'attemptLimits'> {
  readonly introspect: Introspect
  readonly reportError: ReportError
  readonly clock: () => Date
}

/** Stands around the middleware of oidc-provider. */
export function answerIntrospection(dependencies: IntrospectionEndpointDependencies): Middleware {
  return async (ctx, next) => {
    await next()
    const { oidc } = ctx as Partial<KoaContextWithOIDC>
    if (!oidc?.client || !hasPassed(ctx.body)) return
    try {
      ctx.body = await introspectFor(ctx as KoaContextWithOIDC, oidc.client, dependencies)
      ctx.status = 200
    } catch (cause) {
      const error = toAnswerable(cause)
      ctx.status = error.statusCode
      ctx.body = { error: error.error, error_description: error.error_description }
      dependencies.reportError(ctx, error, oidc.client.clientId)
    }
  }
}

/** What oidc-provider says of a token once the client has authenticated: that it knows nothing of it, or of JWTs. */
const hasPassed = (body: unknown): boolean => {
  const { active, error } = (body ?? {}) as { active?: unknown; error?: unknown }
  return active === false || error === 'unsupported_token_type'
}

async function introspectFor(
  ctx: KoaContextWithOIDC,
  client: Client,
  { attemptLimits, introspect, clock }: IntrospectionEndpointDependencies,
): Promise<Record<string, unknown>> {
  const clientId = authenticatedId(client)
  // RFC 7662 section 2.1: else anybody could find out which tokens work.
  if (clientId === null) throw new errors.InvalidClientAuth('a public client cannot authenticate itself')
  const token = String(ctx.oidc.params?.['token'])
  const credential = parseCredential(token) ?? null
  const presented = credential ?? parseJwt(token)
  if (!presented) return { active: false }
  const address = ctx.ip
  const admitted = await attemptLimits.admit({ address, clientId, presented: credential })
  if (!admitted.ok) {
    ctx.set('Retry-After', String(admitted.error.retryAfterSeconds))
    throw toOAuthError(admitted.error)
  }
  const userAgent = ctx.get('User-Agent') || undefined
  const context = { now: clock(), address, clientId, userAgent, requestId: String(ctx.state['requestId']) }
  const described = await answerOutage(() => introspect(presented, readClient(client), context), ctx)
  return described ? { active: true, ...described } : { active: false }
}

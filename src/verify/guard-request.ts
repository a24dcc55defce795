// What every middleware does, in words of no framework: a request becomes the claims of its token, or the answer that
// refuses it (RFC 6750 section 3, RFC 9449 section 7.1). Whatever is not the token's fault is thrown on.

import { fail, ok, type Result } from '../protocol/result.ts'
import { isConcreteScope } from '../protocol/scope.ts'
import { formatChallenges, presentationOf } from './challenge.ts'
import type { VerifiedClaims } from './check-claims.ts'
import { checkGuardOptions, type GuardOptions } from './guard-options.ts'
import { formatRequestUrl } from './request-url.ts'
import { requireScope } from './require-scope.ts'
import { VerifyError } from './verify-error.ts'

/** What a middleware reads of a request. */
export interface GuardedRequest {
  readonly method: string
  /** The target as it arrived, before any router took a part of it off. */
  readonly target: string
  readonly authorization: string | readonly string[] | undefined
  readonly dpop: string | readonly string[] | undefined
}

/** The answer to a request that is refused, whole. */
export interface RefusedRequest {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON: `error` and `error_description`; an empty object where RFC 6750 section 3.1 wants nothing said. */
  readonly body: string
}

export type Guard<Context> = (
  request: GuardedRequest,
  context: Context,
) => Promise<Result<VerifiedClaims, RefusedRequest>>

/** Makes what stands before a service's handlers. Throws a `TypeError` listing every option that is wrong. */
export function createGuard<Context>(options: GuardOptions<Context>): Guard<Context> {
  checkGuardOptions(options)
  return async ({ target, ...request }, context) => {
    try {
      const url = formatRequestUrl(options.publicUrl, target, context)
      const claims = await options.verifier.verifyRequest({ ...request, url })
      await requireRights(claims, options.scope, context)
      return ok(claims)
    } catch (error) {
      if (error instanceof VerifyError) return fail(describeRefusal(error, options))
      throw error
    }
  }
}

async function requireRights<Context>(
  claims: VerifiedClaims,
  scope: GuardOptions<Context>['scope'],
  context: Context,
): Promise<void> {
  if (scope === undefined) return
  if (typeof scope !== 'function') return requireScope(claims, scope)
  const required = [await scope(context)].flat()
  // It was made of what the request brought, such as an id with a blank in it: nobody can hold that.
  if (!required.every(isConcreteScope)) {
    const error = new VerifyError('scope_insufficient', 'No token can hold the scope this takes')
    throw error.presentedBy(presentationOf(claims))
  }
  requireScope(claims, required)
}

function describeRefusal<Context>(
  error: VerifyError,
  { realm, metadata }: GuardOptions<Context>,
): RefusedRequest {
  const shared = {
    ...(realm === undefined ? {} : { realm }),
    ...(metadata === undefined ? {} : { resource_metadata: metadata.url }),
  }
  const { challenges, retryAfterSeconds } = error
  return {
    status: error.status,
    headers: {
      ...(challenges.length === 0 ? {} : { 'www-authenticate': formatChallenges(challenges, shared) }),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    },
    body: JSON.stringify(describeError(error)),
  }
}

/** The codes of RFC 6750 section 3.1 and RFC 9449 section 7.1; for 503 the one the token endpoint has. */
function describeError({ status, challenges, message }: VerifyError): object {
  const error = status === 503 ? 'temporarily_unavailable' : challenges[0]?.parameters['error']
  return error === undefined ? {} : { error, error_description: message }
}

// The error boundary of OAuth endpoints: whatever ends a request leaves as JSON with `error` (RFC 6749 section 5.2).

import type { Middleware } from 'koa'
import { OverloadError } from '../../protocol/overload.ts'
import type { Logger } from './log.ts'

export interface OAuthBoundary {
  readonly isOutage: (error: unknown) => boolean
  readonly log: Logger
}

/** Thrown by an endpoint to end a request with an OAuth error. */
export class OAuthError extends Error {
  readonly status: number
  readonly error: string
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, error: string, description: string, retryAfterSeconds?: number) {
    super(description)
    this.status = status
    this.error = error
    this.retryAfterSeconds = retryAfterSeconds
  }
}

export const bodyTooLarge = (): OAuthError => new OAuthError(413, 'invalid_request', 'the body is too large')

export const toTooManyRequests = ({
  retryAfterSeconds,
}: {
  readonly retryAfterSeconds: number
}): OAuthError =>
  new OAuthError(
    429,
    'temporarily_unavailable',
    'too many failed attempts, try again later',
    retryAfterSeconds,
  )

export function answerAsOAuth({ isOutage, log }: OAuthBoundary): Middleware {
  const toOAuthError = (error: unknown): OAuthError => {
    if (error instanceof OAuthError) return error
    return error instanceof OverloadError || isOutage(error)
      ? new OAuthError(503, 'temporarily_unavailable', 'try again later')
      : new OAuthError(500, 'server_error', 'something went wrong')
  }
  return async (ctx, next) => {
    try {
      await next()
    } catch (cause) {
      const { status, error, message, retryAfterSeconds } = toOAuthError(cause)
      // An overload is told once, where it arises, and not by every request that meets it.
      if (status >= 500 && !(cause instanceof OverloadError))
        log.error({ err: cause, requestId: ctx.state['requestId'] }, 'request failed')
      ctx.status = status
      ctx.set('Cache-Control', 'no-store')
      ctx.body = { error, error_description: message }
      if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds))
    }
  }
}

/** Refuses a form that says it is longer than `limitBytes`, unread. */
export function limitForm(limitBytes: number): Middleware {
  return (ctx, next) => {
    if ((ctx.request.length ?? 0) <= limitBytes) return next()
    throw bodyTooLarge()
  }
}

// What the log and the limits learn of a token request that was refused or failed.

import type { Context } from 'koa'
import { errors } from 'oidc-provider'
import { OverloadError } from '../../protocol/overload.ts'
import { KeysUnavailable } from '../client-keys/published-keys.ts'
import type { AttemptLimits } from '../exchange/exchange.ts'

/** What the log learns of a refused token request. */
export interface TokenRefusal {
  readonly error: string
  readonly cause: string | undefined
  readonly clientId: string | undefined
  readonly ip: string
  readonly requestId: unknown
}

export interface ReportDependencies {
  readonly attemptLimits: Pick<AttemptLimits, 'noteFailure'>
  readonly onRefusal: (refusal: TokenRefusal) => void
  readonly onFault: (error: unknown, requestId: unknown) => void
}

/** `clientId` is that of the client the request named, once it is known. */
export type ReportError = (ctx: Context, error: Error, clientId?: string) => void

export function createReportError({ attemptLimits, onRefusal, onFault }: ReportDependencies): ReportError {
  return (ctx, error, clientId) => {
    const requestId: unknown = ctx.state['requestId']
    if (!(error instanceof errors.OIDCProviderError)) return onFault(error, requestId)
    // What limits refuse, and keys that could not be fetched, are told where that arises: a flood must not fill the log.
    if (error.statusCode === 429 || isToldAlready(error.cause)) return
    if (error instanceof errors.InvalidClientAuth)
      void attemptLimits.noteFailure({ address: ctx.ip, clientId: null, presented: null })
    if (error.statusCode >= 500) onFault(error, requestId)
    else onRefusal({ error: error.error, cause: error.error_detail, clientId, ip: ctx.ip, requestId })
  }
}

const isToldAlready = (cause: unknown): boolean =>
  cause instanceof OverloadError || cause instanceof KeysUnavailable

// `/forward-auth` (contract section 5): the exchange for services that cannot take a library. Their proxy asks before it
// passes a request on, and is answered with the access token in a header, or in the words of RFC 6750. It is the
// exchange of the token endpoint: nothing is decided here, and nothing remembered.

import type { Context, Middleware } from 'koa'
import { FORWARD_AUTH_CLIENT_ID } from '../directory/built-in.ts'
import type { Client } from '../directory/client-store.ts'
import type { Refusal } from '../exchange/refusal.ts'
import { demand, deny, toDenial } from './bearer-denial.ts'
import type { LoadClient } from './client-id.ts'
import { type ExchangeInTimeDependencies, exchangeInTime } from './exchange-in-time.ts'
import { type Question, readQuestion } from './forward-auth-question.ts'
import { toAnswerable, toOAuthError } from './oauth-error.ts'
import type { ReportError } from './report.ts'

export interface ForwardAuthDependencies extends ExchangeInTimeDependencies {
  readonly issuer: string
  readonly loadClient: LoadClient
  readonly reportError: ReportError
}

export interface ForwardAuth {
  /** Reads the question, and answers what needs no exchange: no credential, nothing like one, or a question that is wrong. */
  readonly readQuestion: Middleware
  /** Answers it. */
  readonly exchange: Middleware
}

export function createForwardAuth(dependencies: ForwardAuthDependencies): ForwardAuth {
  const { issuer, loadClient, reportError } = dependencies

  const refuse = (ctx: Context, refusal: Refusal, scope?: string): void => {
    const [error, denial] = [toOAuthError(refusal), toDenial(refusal)]
    if (denial === null) throw error
    deny(ctx, denial, issuer, scope)
    reportError(ctx, error, FORWARD_AUTH_CLIENT_ID)
  }
  const findClient = async (): Promise<Client> => {
    const client = await loadClient(FORWARD_AUTH_CLIENT_ID)
    if (!client) throw new Error(`the client ${FORWARD_AUTH_CLIENT_ID} is not there`)
    return client
  }
  /** The rest is for whoever runs the proxy, and said as the token endpoint says it. */
  const answerErrors =
    (answer: Middleware): Middleware =>
    async (ctx, next) => {
      try {
        await answer(ctx, next)
      } catch (cause) {
        const error = toAnswerable(cause)
        ctx.status = error.statusCode
        ctx.body = { error: error.error, error_description: error.error_description }
        reportError(ctx, error, FORWARD_AUTH_CLIENT_ID)
      }
    }

  return {
    readQuestion: answerErrors(async (ctx, next) => {
      ctx.set('Cache-Control', 'no-store')
      const question = readQuestion(ctx.req, ctx.querystring)
      if (question === undefined) return demand(ctx, issuer)
      if (!question.ok) return refuse(ctx, question.error)
      ctx.state['question'] = question.value
      return next()
    }),
    exchange: answerErrors(async (ctx) => {
      const { request, scope } = ctx.state['question'] as Question
      const result = await exchangeInTime(ctx, request, findClient, dependencies)
      if (!result.ok) return refuse(ctx, result.error, scope)
      ctx.set('Authorization', `Bearer ${result.value.accessToken}`)
      ctx.body = ''
      ctx.remove('Content-Type')
    }),
  }
}

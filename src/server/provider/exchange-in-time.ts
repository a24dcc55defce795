// An exchange from its admission to its outcome, past oidc-provider: for a client that has nothing to authenticate by.

import type { Context } from 'koa'
import type { Result } from '../../protocol/result.ts'
import { waitAtMost } from '../db/time-limit.ts'
import type { Client } from '../directory/client-store.ts'
import { toExchangeClient } from '../exchange/client.ts'
import type { Refusal } from '../exchange/refusal.ts'
import type { ExchangeRequest } from '../exchange/request.ts'
import { type AdmissionDependencies, admitToLookUp } from './admission.ts'
import type { AnswerExchange, Granted } from './answer.ts'

export interface ExchangeInTimeDependencies extends AdmissionDependencies {
  readonly answerExchange: AnswerExchange
  /** Of all that a request waits for. */
  readonly deadlineMs: number
}

/**
 * Admits a request and answers it by the client that `findClient` gives. Throws the OAuth error of one that is not
 * admitted, and what the database says when it is away.
 */
export async function exchangeInTime(
  ctx: Context,
  request: ExchangeRequest,
  findClient: () => Promise<Client>,
  dependencies: ExchangeInTimeDependencies,
): Promise<Result<Granted, Refusal>> {
  const { deadlineMs, answerExchange } = dependencies
  const deadline = performance.now() + deadlineMs
  const proof = await admitToLookUp(ctx, request, dependencies)
  const answerInTime = async (): Promise<Result<Granted, Refusal>> =>
    answerExchange({
      request,
      proof,
      client: toExchangeClient(await findClient()),
      authenticatedId: null,
      address: ctx.ip,
      userAgent: ctx.req.headers['user-agent'],
      requestId: String(ctx.state['requestId']),
      isAwaited: () => performance.now() < deadline,
    })
  return waitAtMost(deadlineMs, answerInTime())
}

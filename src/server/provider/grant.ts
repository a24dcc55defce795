// The token exchange grant (RFC 8693 section 2) inside oidc-provider: for clients that authenticate themselves.

import type { Client, TokenEndpointGrantContext } from 'oidc-provider'
import { type ExchangeClient, toExchangeClient } from '../exchange/client.ts'
import { type AdmissionDependencies, admitToCheck, authenticatedId, requestOf } from './admission.ts'
import type { AnswerExchange } from './answer.ts'
import { isAwaited } from './deadline.ts'
import { answerOutage } from './oauth-error.ts'
import { toTokenResponse } from './token-response.ts'

export interface GrantDependencies extends AdmissionDependencies {
  readonly answerExchange: AnswerExchange
}

export function readClient(client: Client): ExchangeClient {
  const { patmint_grant_types: grantTypes = [], patmint_audiences: audiences = null } = client as {
    patmint_grant_types?: readonly string[]
    patmint_audiences?: readonly string[]
  }
  return toExchangeClient({ clientId: client.clientId, grantTypes, audiences })
}

export function createExchangeGrant(dependencies: GrantDependencies) {
  const answer = async (ctx: TokenEndpointGrantContext): Promise<Record<string, unknown>> => {
    const { request, proof } = requestOf(ctx)
    const { client } = ctx.oidc
    await admitToCheck(ctx, request, client, dependencies)
    const result = await dependencies.answerExchange({
      request,
      proof,
      client: readClient(client),
      authenticatedId: authenticatedId(client),
      address: ctx.ip,
      userAgent: ctx.get('User-Agent') || undefined,
      requestId: String(ctx.state['requestId']),
      isAwaited: () => isAwaited(ctx),
    })
    return toTokenResponse(result)
  }
  return async (ctx: TokenEndpointGrantContext): Promise<void> => {
    // Only what is there in time is answered: what goes on behind the deadline has no way to the response.
    ctx.body = await answerOutage(() => answer(ctx))
  }
}

// The token exchange grant (RFC 8693 section 2) inside oidc-provider: request → exchange → mint + ledger → response.

import type { Client, KoaContextWithOIDC, TokenEndpointGrantContext } from 'oidc-provider'
import { ACCESS_TOKEN_TYPE } from '../../protocol/urn.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import { type Decision, type ExchangeClient, toExchangeClient } from '../exchange/decide.ts'
import type { Exchange, ExchangeOutcome } from '../exchange/exchange.ts'
import { causeOf } from '../exchange/refusal.ts'
import type { ExchangeRequest } from '../exchange/request.ts'
import type { AuditEvent } from '../ledger/event.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { KeyRing } from '../signing/key-ring.ts'
import { type AdmissionDependencies, admitToCheck, authenticatedId, requestOf } from './admission.ts'
import { isAwaited } from './deadline.ts'
import { composeClaims } from './mint.ts'
import { answerOutage, toOAuthError } from './oauth-error.ts'

export interface GrantDependencies extends AdmissionDependencies {
  readonly exchange: Exchange
  readonly signAccessToken: KeyRing['signAccessToken']
  readonly ledger: Pick<Ledger, 'record'>
  readonly clock: () => Date
}

function readClient(client: Client): ExchangeClient {
  const { patmint_grant_types: grantTypes = [], patmint_audiences: audiences = null } = client as {
    patmint_grant_types?: readonly string[]
    patmint_audiences?: readonly string[]
  }
  return toExchangeClient({ clientId: client.clientId, grantTypes, audiences })
}

export function createExchangeGrant(dependencies: GrantDependencies) {
  return async (ctx: TokenEndpointGrantContext): Promise<void> => {
    // Only what is there in time is answered: what goes on behind the deadline has no way to the response.
    ctx.body = await answerOutage(() => answerExchange(ctx, dependencies))
  }
}

type ExchangeContext = Parameters<Exchange>[2]

const describeContext = (ctx: KoaContextWithOIDC, client: Client, now: Date): ExchangeContext => ({
  now,
  address: ctx.ip,
  clientId: authenticatedId(client),
  userAgent: ctx.get('User-Agent') || undefined,
  requestId: String(ctx.state['requestId']),
})

async function answerExchange(
  ctx: TokenEndpointGrantContext,
  dependencies: GrantDependencies,
): Promise<Record<string, unknown>> {
  const { exchange, signAccessToken, ledger, clock } = dependencies
  const request = requestOf(ctx)
  const { client, provider } = ctx.oidc
  await admitToCheck(ctx, request, client, dependencies)
  const now = clock()
  const context = describeContext(ctx, client, now)
  const outcome = await exchange(request, readClient(client), context)
  const event = describeAttempt(ctx, request, outcome, context)
  const isStillAwaited = () => isAwaited(ctx)
  if (!outcome.result.ok) {
    await ledger.record(event, null, isStillAwaited)
    throw toOAuthError(outcome.result.error)
  }
  const decision = outcome.result.value
  const tokenId = uuidV7(now)
  const claims = composeClaims(decision, provider.issuer, tokenId, now)
  const use = {
    credentialId: decision.credentialId,
    lastUsedAt: outcome.holder?.lastUsedAt ?? null,
    usedAt: now,
    ip: ctx.ip,
  }
  // The response waits for both: a token that left has its record on disk.
  const [accessToken] = await Promise.all([
    signAccessToken(decision.signingAlg, claims, now),
    ledger.record({ ...event, tokenId }, use, isStillAwaited),
  ])
  return toResponse(accessToken, decision)
}

function describeAttempt(
  ctx: KoaContextWithOIDC,
  request: ExchangeRequest,
  { result, holder }: ExchangeOutcome,
  { now, address, userAgent, requestId }: ExchangeContext,
): AuditEvent {
  return {
    type: result.ok ? 'exchange.granted' : 'exchange.refused',
    ...(result.ok ? {} : { reason: causeOf(result.error) }),
    occurredAt: now,
    subject: holder?.subject,
    organizationId: holder?.organizationId,
    credentialId: request.subjectToken.id,
    clientId: ctx.oidc.client?.clientId,
    audiences: result.ok ? result.value.audiences : request.audiences,
    scopes: result.ok ? result.value.scopes : (request.scopes ?? []),
    ip: address,
    userAgent,
    requestId,
  }
}

/** RFC 8693 section 2.2.1. Never a refresh token. */
function toResponse(accessToken: string, decision: Decision): Record<string, unknown> {
  return {
    access_token: accessToken,
    issued_token_type: ACCESS_TOKEN_TYPE,
    token_type: 'Bearer',
    expires_in: decision.lifetimeSeconds,
    scope: decision.scopes.join(' '),
    ...(decision.subjectExpiresInSeconds === null
      ? {}
      : { subject_token_expires_in: decision.subjectExpiresInSeconds }),
  }
}

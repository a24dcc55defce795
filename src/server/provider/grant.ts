// The token exchange grant (RFC 8693 section 2) inside oidc-provider: request → exchange → mint + ledger → response.

import type { Client, KoaContextWithOIDC, TokenEndpointGrantContext } from 'oidc-provider'
import type { PresentedCredential } from '../../protocol/credential.ts'
import { ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import { type Decision, type ExchangeClient, toExchangeClient } from '../exchange/decide.ts'
import type { Exchange, ExchangeOutcome } from '../exchange/exchange.ts'
import { causeOf } from '../exchange/refusal.ts'
import { type ExchangeRequest, parseExchangeRequest, type TokenParameters } from '../exchange/request.ts'
import type { AuditEvent } from '../ledger/event.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { KeyRing } from '../signing/key-ring.ts'
import { composeClaims } from './mint.ts'
import { answerOutage, toOAuthError } from './oauth-error.ts'

export interface GrantDependencies {
  readonly exchange: Exchange
  /** Begins the look-up of the credential that the exchange will check. */
  readonly beginLookUp: (credential: PresentedCredential) => void
  readonly keyRing: KeyRing
  readonly ledger: Ledger
  readonly clock: () => Date
  readonly subjectTokenTypeAliases: readonly string[]
}

/** The form parser stops silently at 1000 parameters: what stands behind them must not go unread. */
const MAX_PARAMETERS = 100

/** Requests read before the client was looked up, for the handler that runs after it authenticated. */
const requests = new WeakMap<object, ExchangeRequest>()

/** Reads a token exchange request before any I/O; throws the OAuth error of a malformed one. */
export function readExchangeRequest(
  ctx: KoaContextWithOIDC,
  { subjectTokenTypeAliases: aliases, beginLookUp }: GrantDependencies,
): void {
  // Form values, as querystring reads them.
  const parameters = (ctx.oidc.params ?? {}) as TokenParameters
  if (parameters['grant_type'] !== TOKEN_EXCHANGE_GRANT) return
  const body = ctx.oidc.body ?? {}
  if (Object.values(body).flat().length > MAX_PARAMETERS)
    throw toOAuthError({ reason: 'parameters_too_many' })
  // What would change the token if it were understood is refused, never ignored.
  if (ctx.get('DPoP')) throw toOAuthError({ reason: 'feature_unsupported', feature: 'DPoP' })
  const { authorization_details } = body as TokenParameters
  const request = parseExchangeRequest({ ...parameters, authorization_details }, aliases)
  if (!request.ok) throw toOAuthError(request.error)
  requests.set(ctx.oidc, request.value)
  beginLookUp(request.value.subjectToken)
}

function readClient(client: Client): ExchangeClient {
  const { patmint_grant_types: grantTypes = [], patmint_audiences: audiences = null } = client as {
    patmint_grant_types?: readonly string[]
    patmint_audiences?: readonly string[]
  }
  return toExchangeClient({ clientId: client.clientId, grantTypes, audiences })
}

export function createExchangeGrant(dependencies: GrantDependencies) {
  return (ctx: TokenEndpointGrantContext): Promise<void> =>
    answerOutage(() => answerExchange(ctx, dependencies))
}

type ExchangeContext = Parameters<Exchange>[2]

const describeContext = (ctx: KoaContextWithOIDC, now: Date): ExchangeContext => ({
  now,
  address: ctx.ip,
  userAgent: ctx.get('User-Agent') || undefined,
  requestId: String(ctx.state['requestId']),
})

async function answerExchange(
  ctx: TokenEndpointGrantContext,
  dependencies: GrantDependencies,
): Promise<void> {
  const { exchange, keyRing, ledger, clock } = dependencies
  const request = requests.get(ctx.oidc)
  if (!request) throw new Error('the exchange request was not read before its client was looked up')
  const { client, provider } = ctx.oidc
  const now = clock()
  const context = describeContext(ctx, now)
  const outcome = await exchange(request, readClient(client), context)
  const event = describeAttempt(ctx, request, outcome, context)
  if (!outcome.result.ok) {
    await ledger.record(event)
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
    keyRing.signAccessToken(decision.signingAlg, claims, now),
    ledger.record({ ...event, tokenId }, use),
  ])
  ctx.body = toResponse(accessToken, decision)
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

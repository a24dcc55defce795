// oidc-provider, configured: what is on, where it answers, and with whose keys and clients.

import { randomBytes } from 'node:crypto'
import { type ClientMetadata, errors, Provider } from 'oidc-provider'
import { OverloadError } from '../../protocol/overload.ts'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import type { Database } from '../db/database.ts'
import type { Client } from '../directory/client-store.ts'
import { EXCHANGE_PARAMETERS, REPEATABLE_PARAMETERS } from '../exchange/request.ts'
import type { KeyRing } from '../signing/key-ring.ts'
import { createAdapter } from './adapter.ts'
import { receiveRequest } from './admission.ts'
import { setDeadline } from './deadline.ts'
import { createExchangeGrant, type GrantDependencies } from './grant.ts'
import { CLIENT_AUTH_METHODS, PATHS } from './metadata.ts'

export interface ProviderDependencies extends GrantDependencies {
  readonly db: Database
  readonly issuer: string
  readonly keyRing: KeyRing
  readonly loadClient: (clientId: string) => Promise<Client | undefined>
  /** Whether a presented client secret is the one that was stored as `hash`. */
  readonly matchesClientSecret: (presented: string, hash: string) => boolean
  /** Of all a token request waits for. */
  readonly deadlineMs: number
  readonly onRefusal: (refusal: TokenRefusal) => void
  readonly onFault: (error: unknown, requestId: unknown) => void
}

/** What the log learns of a refused token request. */
export interface TokenRefusal {
  readonly error: string
  readonly cause: string | undefined
  readonly clientId: string | undefined
  readonly ip: string
  readonly requestId: unknown
}

/** Past this oidc-provider stops reading a form. */
export const TOKEN_FORM_BYTES = 56 * 1024

export function createProvider(dependencies: ProviderDependencies): Provider {
  const { db, issuer, keyRing, loadClient, matchesClientSecret, deadlineMs } = dependencies
  const provider = new Provider(issuer, {
    adapter: createAdapter(db, loadClient, (ctx) => {
      setDeadline(ctx, deadlineMs)
      return receiveRequest(ctx, dependencies)
    }),
    jwks: { keys: keyRing.privateJwks },
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    // No cookie is in play, and an answer must not depend on the Origin header a client sends.
    clientBasedCORS: () => true,
    // Nothing but the exchange is on: other grants are unknown, not merely refused to the client.
    responseTypes: [],
    scopes: [],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraClientMetadata: { properties: ['patmint_grant_types', 'patmint_audiences'] },
    // No cookie is set by what is on; an empty list would make oidc-provider warn that cookies are unsigned.
    cookies: { keys: [randomBytes(32)] },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    routes: { token: PATHS.token, jwks: PATHS.jwks },
    // The token endpoint speaks JSON whatever the Accept header prefers.
    renderError: (ctx, out) => {
      ctx.body = out
    },
  })
  provider.Client.prototype.compareClientSecret = function compareClientSecret(
    this: ClientMetadata,
    actual: string,
  ) {
    return matchesClientSecret(actual, String(this['clientSecret']))
  }
  provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    createExchangeGrant(dependencies),
    EXCHANGE_PARAMETERS,
    REPEATABLE_PARAMETERS,
  )
  reportOutcomes(provider, dependencies)
  return provider
}

function reportOutcomes(
  provider: Provider,
  { onRefusal, onFault, attemptLimits }: ProviderDependencies,
): void {
  provider.on('grant.error', (ctx, error) => {
    // What limits refuse is told where they are reached: a flood must not fill the log.
    if (error.statusCode === 429 || error.cause instanceof OverloadError) return
    if (error instanceof errors.InvalidClientAuth)
      void attemptLimits.noteFailure({ address: ctx.ip, clientId: null, presented: null })
    if (error.statusCode >= 500) {
      onFault(error, ctx.state['requestId'])
      return
    }
    onRefusal({
      error: error.error,
      cause: error.error_detail,
      clientId: ctx.oidc.client?.clientId,
      ip: ctx.ip,
      requestId: ctx.state['requestId'],
    })
  })
  provider.on('server_error', (ctx, error) => onFault(error, ctx.state['requestId']))
}

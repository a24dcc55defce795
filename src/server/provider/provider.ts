// oidc-provider, configured: what is on, where it answers, and with whose clients.

import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type ClientMetadata, type JWK, Provider } from 'oidc-provider'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import type { PublishedKeys } from '../client-keys/published-keys.ts'
import type { Database } from '../db/database.ts'
import { EXCHANGE_PARAMETERS, REPEATABLE_PARAMETERS } from '../exchange/request.ts'
import { createAdapter } from './adapter.ts'
import { receiveRequest } from './admission.ts'
import { requireShortLived } from './assertion.ts'
import type { LoadClient } from './client-id.ts'
import { setDeadline } from './deadline.ts'
import { createExchangeGrant, type GrantDependencies } from './grant.ts'
import { CLIENT_AUTH_ALGORITHMS, CLIENT_AUTH_METHODS, PATHS } from './metadata.ts'
import type { ReportError } from './report.ts'

export interface ProviderDependencies extends GrantDependencies {
  readonly db: Database
  readonly issuer: string
  readonly loadClient: LoadClient
  /** Whether a presented client secret is the one that was stored as `hash`. */
  readonly matchesClientSecret: (presented: string, hash: string) => boolean
  readonly publishedKeys: Pick<PublishedKeys, 'find'>
  readonly clock: () => Date
  /** Of all a token request waits for. */
  readonly deadlineMs: number
  readonly reportError: ReportError
}

export function createProvider(dependencies: ProviderDependencies): Provider {
  const { issuer, matchesClientSecret, clock, deadlineMs, reportError } = dependencies
  const provider = new Provider(issuer, {
    adapter: createAdapter({
      ...dependencies,
      beforeFirstRead: (ctx) => {
        setDeadline(ctx, deadlineMs)
        return receiveRequest(ctx, dependencies)
      },
    }),
    jwks: { keys: [createIdleKey()] },
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    enabledJWA: { clientAuthSigningAlgValues: [...CLIENT_AUTH_ALGORITHMS] },
    assertJwtClientAuthClaimsAndHeader: async (_ctx, claims) => requireShortLived(claims, clock()),
    // No cookie is in play, and an answer must not depend on the Origin header a client sends.
    clientBasedCORS: () => true,
    // Nothing but the exchange is on: other grants are unknown, not merely refused to the client.
    responseTypes: [],
    scopes: [],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    extraClientMetadata: {
      properties: ['patmint_grant_types', 'patmint_audiences', 'patmint_secret_hashes'],
    },
    // No cookie is set by what is on; an empty list would make oidc-provider warn that cookies are unsigned.
    cookies: { keys: [randomBytes(32)] },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      // Only for its client authentication: what it would answer is replaced.
      introspection: { enabled: true, allowedPolicy: () => false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
    },
    routes: { token: PATHS.token, introspection: PATHS.introspection, jwks: PATHS.jwks },
    // The token endpoint speaks JSON whatever the Accept header prefers.
    renderError: (ctx, out) => {
      ctx.body = out
    },
  })
  provider.Client.prototype.compareClientSecret = function compareClientSecret(
    this: ClientMetadata,
    actual: string,
  ) {
    const hashes = this['patmint_secret_hashes'] as readonly string[]
    return hashes.some((hash) => matchesClientSecret(actual, hash))
  }
  provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    createExchangeGrant(dependencies),
    // Those of the grants of oidc-provider itself need a resource for their details. Ours are read from the form.
    EXCHANGE_PARAMETERS.filter((name) => name !== 'authorization_details'),
    REPEATABLE_PARAMETERS,
  )
  provider.on('grant.error', (ctx, error) => reportError(ctx, error, ctx.oidc.client?.clientId))
  provider.on('introspection.error', (ctx, error) => {
    // Of a JWT; whoever stands around answers it.
    if (error.error !== 'unsupported_token_type') reportError(ctx, error, ctx.oidc.client?.clientId)
  })
  provider.on('server_error', (ctx, error) => reportError(ctx, error))
  return provider
}

/**
 * oidc-provider does not start without a key for the algorithm of ID tokens, and signs nothing of what is on: access
 * tokens are the ring's. With none of the ring's keys it need not be built anew when the ring turns.
 */
const createIdleKey = (): JWK =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as JWK

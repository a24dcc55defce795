// What the server publishes about itself (RFC 8414, OIDC Discovery, RFC 9728, RFC 7517). Written here and not taken from
// oidc-provider, whose document follows the Host header and advertises endpoints that are off.

import Router from '@koa/router'
import { DPOP_ALGORITHMS } from '../../protocol/dpop.ts'
import { STATUS_LISTS_PATH } from '../../protocol/status-list.ts'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { API_SCOPE_NAMES, apiAudience } from '../directory/built-in.ts'
import type { KeyRing } from '../signing/key-ring.ts'

export const PATHS = {
  token: '/oauth2/token',
  introspection: '/oauth2/introspect',
  revocation: '/oauth2/revoke',
  statusLists: STATUS_LISTS_PATH,
  forwardAuth: '/forward-auth',
  jwks: '/.well-known/jwks.json',
  authorizationServer: '/.well-known/oauth-authorization-server',
  openidConfiguration: '/.well-known/openid-configuration',
  /** That of `<issuer>/api`: the well-known part stands before the path (RFC 9728 section 3.1). */
  protectedResource: '/.well-known/oauth-protected-resource/api',
} as const

export const CLIENT_AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const

/** What a client may sign its assertions with. */
export const CLIENT_AUTH_ALGORITHMS = ['ES256', 'PS256', 'RS256', 'EdDSA'] as const

/** How a client proves who it is, rather than say so. */
const PROVING_AUTH_METHODS = CLIENT_AUTH_METHODS.filter((method) => method !== 'none')

/** Everything that works, and nothing else: a member, or a few that belong together, to a line. */
const describeServer = (issuer: string): Record<string, unknown> => ({
  issuer,
  token_endpoint: issuer + PATHS.token,
  jwks_uri: issuer + PATHS.jwks,
  grant_types_supported: [TOKEN_EXCHANGE_GRANT],
  response_types_supported: [],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
  token_endpoint_auth_methods_supported: CLIENT_AUTH_METHODS,
  token_endpoint_auth_signing_alg_values_supported: CLIENT_AUTH_ALGORITHMS,
  status_list_aggregation_endpoint: issuer + PATHS.statusLists,
  dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
  introspection_endpoint: issuer + PATHS.introspection,
  introspection_endpoint_auth_methods_supported: PROVING_AUTH_METHODS,
  introspection_endpoint_auth_signing_alg_values_supported: CLIENT_AUTH_ALGORITHMS,
  revocation_endpoint: issuer + PATHS.revocation,
  // Possession is the authority there: a client that authenticates all the same is not refused.
  revocation_endpoint_auth_methods_supported: ['none'],
  // RFC 9728 section 4.
  protected_resources: [apiAudience(issuer)],
})

/** The management API as a protected resource (RFC 9728 section 2). */
const describeApi = (issuer: string): Record<string, unknown> => ({
  resource: apiAudience(issuer),
  authorization_servers: [issuer],
  scopes_supported: API_SCOPE_NAMES,
  bearer_methods_supported: ['header'],
  dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
  resource_name: 'Patmint management API',
  resource_documentation: `${issuer}/docs`,
})

/** Where the metadata of the management API stands. */
export const apiMetadataUrl = (issuer: string): string => issuer + PATHS.protectedResource

/** Discovery and keys, to be kept for `maxAgeSeconds`. Neither touches the database, so both stay up while it is away. */
export function createMetadataRouter(
  issuer: string,
  keyRing: Pick<KeyRing, 'publicJwks'>,
  maxAgeSeconds: number,
): Router {
  const [server, api] = [describeServer(issuer), describeApi(issuer)]
  const { authorizationServer, openidConfiguration, protectedResource, jwks } = PATHS
  const router = new Router({ sensitive: true, strict: true })
  router.use([authorizationServer, openidConfiguration, protectedResource, jwks], async (ctx, next) => {
    // Public data, for every page to read and every cache to keep.
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.set('Cache-Control', `public, max-age=${maxAgeSeconds}`)
    await next()
  })
  router.get([authorizationServer, openidConfiguration], (ctx) => {
    ctx.body = server
  })
  router.get(protectedResource, (ctx) => {
    ctx.body = api
  })
  router.get(jwks, (ctx) => {
    ctx.body = keyRing.publicJwks
    ctx.type = 'application/jwk-set+json'
  })
  return router
}

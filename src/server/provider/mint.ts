// From a decision to a signed access token (RFC 9068). oidc-provider signs and stores nothing: no adapter call.

import type { Client, Provider } from 'oidc-provider'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { Decision } from '../exchange/decide.ts'

/** Claims beside, or instead of, those oidc-provider writes, kept until the token is serialized. */
const pendingClaims = new WeakMap<object, Readonly<Record<string, unknown>>>()

/** `formats.customizers.jwt`: adds Patmint's claims to the payload. */
export function addClaims(_ctx: unknown, token: object, jwt: { payload: Record<string, unknown> }): void {
  Object.assign(jwt.payload, pendingClaims.get(token))
}

export interface MintedToken {
  /** `jti`, known before the signature is made, so that signing and recording run side by side. */
  readonly tokenId: string
  readonly sign: () => Promise<string>
}

/** Prepares the access token of a decision, signed by the key `kid`. */
export function mintAccessToken(
  provider: Provider,
  client: Client,
  decision: Decision,
  kid: string,
  now: Date,
): MintedToken {
  const [audience] = decision.audiences
  const scope = decision.scopes.join(' ')
  const token = new provider.AccessToken({
    client,
    accountId: decision.subject,
    gty: TOKEN_EXCHANGE_GRANT,
    // No Grant stands behind the token: the credential does, and it is asked anew at each exchange.
    grantId: decision.credentialId,
    scope,
    expiresIn: decision.lifetimeSeconds,
    resourceServer: new provider.ResourceServer(audience, {
      audience,
      scope,
      accessTokenFormat: 'jwt',
      jwt: { sign: { alg: decision.signingAlg, kid } },
    }),
  })
  const tokenId = uuidV7(now)
  const issuedAt = Math.floor(now.getTime() / 1000)
  pendingClaims.set(token, {
    jti: tokenId,
    // By the clock of the decision: by the time of the signature a cap could be overrun.
    iat: issuedAt,
    exp: issuedAt + decision.lifetimeSeconds,
    aud: decision.audiences.length === 1 ? audience : decision.audiences,
    org: decision.organization.slug,
    cred: decision.credentialId,
  })
  return { tokenId, sign: () => token.save() }
}

// From a decision to the claims of its access token (RFC 9068 section 2.2).

import type { AccessTokenClaims } from '../../protocol/access-token.ts'
import { referToStatus } from '../../protocol/status-list.ts'
import type { Decision } from '../exchange/decide.ts'

/** The claims of the token that was decided on at `now`. */
export function composeClaims(
  decision: Decision,
  issuer: string,
  tokenId: string,
  now: Date,
): AccessTokenClaims {
  const [audience, ...others] = decision.audiences
  // By the clock of the decision: by the time of the signature a cap could be overrun.
  const issuedAt = Math.floor(now.getTime() / 1000)
  return {
    iss: issuer,
    sub: decision.subject,
    aud: others.length === 0 ? audience : decision.audiences,
    exp: issuedAt + decision.lifetimeSeconds,
    iat: issuedAt,
    jti: tokenId,
    client_id: decision.clientId,
    scope: decision.scopes.join(' '),
    org: decision.organization.slug,
    cred: decision.credentialId,
    ...(decision.exchanges > 1 ? { exchanges: decision.exchanges } : {}),
    ...(decision.boundKey === null ? {} : { cnf: { jkt: decision.boundKey } }),
    ...(decision.act ? { act: decision.act } : {}),
    status: { status_list: referToStatus(issuer, decision.statusIndex) },
    ...(decision.details ? { authorization_details: decision.details } : {}),
  }
}

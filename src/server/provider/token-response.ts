// What the token endpoint answers once an exchange is on record (RFC 8693 section 2.2.1). Never a refresh token.

import type { Result } from '../../protocol/result.ts'
import { ACCESS_TOKEN_TYPE } from '../../protocol/urn.ts'
import type { Refusal } from '../exchange/refusal.ts'
import type { Granted } from './answer.ts'
import { toOAuthError } from './oauth-error.ts'

/** The body of an answer. Throws the OAuth error of a refusal. */
export function toTokenResponse(result: Result<Granted, Refusal>): Record<string, unknown> {
  if (!result.ok) throw toOAuthError(result.error)
  const { accessToken, decision } = result.value
  return {
    access_token: accessToken,
    issued_token_type: ACCESS_TOKEN_TYPE,
    token_type: decision.boundKey === null ? 'Bearer' : 'DPoP',
    expires_in: decision.lifetimeSeconds,
    scope: decision.scopes.join(' '),
    ...(decision.details ? { authorization_details: decision.details } : {}),
    ...(decision.subjectExpiresInSeconds === null
      ? {}
      : { subject_token_expires_in: decision.subjectExpiresInSeconds }),
  }
}

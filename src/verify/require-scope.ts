// Whether an accepted token allows an action: RFC 6750 section 3.1, `insufficient_scope`, with Patmint's grammar.

import type { AccessTokenClaims } from '../protocol/access-token.ts'
import { anyCovers, isConcreteScope } from '../protocol/scope.ts'
import { presentationOf } from './challenge.ts'
import { VerifyError } from './verify-error.ts'

/**
 * Requires that the token holds every one of `scopes`; `models:read` is enough for `models/m1:read`. Throws
 * `VerifyError` `scope_insufficient` (403), and a `TypeError` when `scopes` names nothing a token could hold.
 */
export function requireScope(
  claims: Pick<AccessTokenClaims, 'scope' | 'cnf'>,
  scopes: string | readonly string[],
): void {
  const required = typeof scopes === 'string' ? [scopes] : scopes
  // An empty list would let every token pass.
  if (!Array.isArray(required) || required.length === 0 || !required.every(isRequirable)) {
    throw new TypeError('requireScope: name at least one scope, each without spaces and wildcards')
  }
  const held = claims.scope?.split(' ') ?? []
  if (required.every((scope) => anyCovers(held, scope))) return
  throw new VerifyError('scope_insufficient', 'The token does not hold the scope this takes', {
    scope: required.join(' '),
    presentation: presentationOf(claims),
  })
}

const isRequirable = (scope: unknown): boolean => typeof scope === 'string' && isConcreteScope(scope)

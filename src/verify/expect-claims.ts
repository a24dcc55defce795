// For handlers that stand behind a middleware: a route that was left without one must not go on without claims.

import type { VerifiedClaims } from './check-claims.ts'

/** Throws a `TypeError` when there are none. */
export function expectClaims(claims: VerifiedClaims | null | undefined): VerifiedClaims {
  if (claims) return claims
  throw new TypeError('readClaims: there is no requireToken before this handler')
}

// Whether the authorization details of an accepted token allow something (RFC 9396 section 9.1). The scopes of a token say
// the same and more: a token that was asked for by scope has no details.

import { type AccessTokenClaims, readAudiences } from '../protocol/access-token.ts'
import { type AuthorizationDetail, isDetail, scopesOf } from '../protocol/authorization-details.ts'
import { presentationOf } from './challenge.ts'
import { VerifyError } from './verify-error.ts'

type Claims = Pick<AccessTokenClaims, 'aud' | 'authorization_details' | 'cnf'>

/**
 * Requires that the token allows every action of every one of `details`; a detail without an identifier allows them for
 * each. Without `locations` it is required for all audiences of the token. Throws `VerifyError` `details_insufficient`
 * (403), and a `TypeError` when `details` are none.
 */
export function requireDetail(
  claims: Claims,
  details: AuthorizationDetail | readonly AuthorizationDetail[],
): void {
  const required = [details].flat()
  if (required.length === 0 || !required.every(isDetail)) {
    throw new TypeError('requireDetail: name at least one detail, each with a type and actions')
  }
  const audiences = readAudiences(claims)
  // Details of types that others define are not ours to understand.
  const held = (claims.authorization_details ?? []).filter(isDetail)
  if (required.every((detail) => isHeld(detail, held, audiences))) return
  throw new VerifyError('details_insufficient', 'The token does not hold the authorization this takes', {
    scope: scopesOf(required).join(' '),
    presentation: presentationOf(claims),
  })
}

function isHeld(
  { actions, locations, ...wanted }: AuthorizationDetail,
  held: readonly AuthorizationDetail[],
  audiences: readonly string[],
): boolean {
  const places = locations ?? audiences
  return actions.every((action) =>
    places.every((place) =>
      held.some((detail) => {
        const isOfEntity = detail.identifier === undefined || detail.identifier === wanted.identifier
        const isThere = (detail.locations ?? audiences).includes(place)
        return detail.type === wanted.type && isOfEntity && isThere && detail.actions.includes(action)
      }),
    ),
  )
}

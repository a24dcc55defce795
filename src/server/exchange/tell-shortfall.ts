// Why what is asked for is more than there is: which bound takes it away.

import { readAudiences, readScopes } from '../../protocol/access-token.ts'
import { anyCovers } from '../../protocol/scope.ts'
import type { Standing } from '../credential/standing.ts'
import type { Trial } from './attempt.ts'
import { listAudiences } from './choose.ts'
import { type ExchangeClient, mayReach } from './client.ts'
import type { ReachRefusal } from './refusal.ts'
import { enumerate } from './step.ts'
import { listTargets, narrowGrant, type Target, type TokenReach } from './target.ts'

export function tellShortfall(
  refusal: ReachRefusal,
  { wish, credential: { standing, token }, client }: Trial,
): string {
  const targets = listTargets(standing, client, listAudiences(wish), token)
  const lost = token && tellLostByToken(refusal, token)
  if (lost) return lost
  switch (refusal.reason) {
    case 'audience_ambiguous':
      return targets.length > 0
        ? `None was named, and there are several: ${enumerate(targets.map(({ audience }) => audience))}`
        : 'None was named, and nothing is effective at any'
    case 'audience_not_permitted':
      return tellLostAudience(refusal.audience, standing, client)
    case 'audiences_incompatible':
      return `One token has one signature, and they want ${enumerate(targets.map(tellAlgorithm))}`
    case 'scope_exceeds':
      return tellLostScope(refusal.scope, standing, targets)
    case 'details_refused':
      return refusal.cause === 'details_exceed'
        ? tellLostScope(refusal.scope, standing, targets)
        : `The locations of a detail are not the audiences of the token: ${enumerate(targets.map(({ audience }) => audience))}`
    case 'scopes_differ':
      return 'What is effective is not the same at each audience: name scopes that are'
  }
}

/** What the access token that is exchanged does not have, whatever its credential has; null when it is not that. */
function tellLostByToken(refusal: ReachRefusal, token: TokenReach): string | null {
  if (refusal.reason === 'audience_not_permitted' && !readAudiences(token).includes(refusal.audience))
    return `The access token is not for "${refusal.audience}"`
  if ('scope' in refusal && !anyCovers(readScopes(token), refusal.scope))
    return `The access token does not hold "${refusal.scope}"`
  return null
}

const tellAlgorithm = ({ audience, signingAlg }: Target): string => `${signingAlg} for ${audience}`

/** Which bound leaves nothing at the audience. */
function tellLostAudience(audience: string, { role, credential }: Standing, client: ExchangeClient): string {
  const grant = role?.grants.find((one) => one.audience === audience)
  if (!grant) return `The role "${role?.name ?? ''}" gives nothing at "${audience}", or nothing has this name`
  if (grant.scopes.length === 0) return `Whoever issued the credential had nothing of this at "${audience}"`
  if (narrowGrant(grant, credential.permissions).chosen.length === 0)
    return `The credential was narrowed to nothing at "${audience}"`
  if (!mayReach(client, audience)) return `The client "${client.clientId}" may not ask for "${audience}"`
  return `The resource server "${audience}" declares nothing of what is left`
}

/** Which bound takes the scope away, at the first audience where one does. */
function tellLostScope(scope: string, { role, credential }: Standing, targets: readonly Target[]): string {
  const target = targets.find(({ scopes }) => !anyCovers(scopes, scope))
  const grant = role?.grants.find(({ audience }) => audience === target?.audience)
  if (grant?.ofRole && anyCovers(grant.ofRole, scope) && !anyCovers(grant.scopes, scope))
    return `Whoever issued the credential could not manage "${scope}", so it does not either`
  if (!grant || !anyCovers(grant.scopes, scope))
    return `The role "${role?.name ?? ''}" does not give "${scope}" at "${target?.audience ?? ''}"`
  return anyCovers(narrowGrant(grant, credential.permissions).chosen, scope)
    ? `The resource server "${grant.audience}" does not declare "${scope}"`
    : `The credential was narrowed, and "${scope}" at "${grant.audience}" is not in what is left`
}

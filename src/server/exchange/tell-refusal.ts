// The refusal an explanation ends with, in words: the true cause, which the client of an exchange never learns.

import { anyCovers } from '../../protocol/scope.ts'
import { expiryOf, type Standing } from '../credential/standing.ts'
import type { CheckedCredential, Trial } from './attempt.ts'
import { listAudiences } from './choose.ts'
import { type ExchangeClient, mayReach } from './client.ts'
import {
  describeParameters,
  type ExchangeRefusal,
  type ReachRefusal,
  type RequestRefusal,
} from './refusal.ts'
import { enumerate } from './step.ts'
import { listTargets, narrowGrant, type Target } from './target.ts'
import { tellExpiry } from './tell-standing.ts'

type SubjectRefusal = Extract<ExchangeRefusal, { reason: 'subject_token_refused' }>

/** What is wrong with a request, whoever makes it. */
export function tellRequestRefusal(refusal: RequestRefusal): string {
  switch (refusal.reason) {
    case 'subject_token_refused':
      return 'subject_token is no credential: its prefix, length, alphabet or checksum is wrong'
    case 'actor_token_refused':
      return 'The credential permits no actor'
    case 'details_refused':
      return 'authorization_details is no JSON array of details with type, actions and, if wanted, identifier and locations'
    case 'scope_malformed':
      return 'scope is not a list of scopes with one blank between them and no wildcard, or names too many'
    case 'parameter_malformed':
      return `${describeParameters(refusal)}, or names too many`
    default:
      return describeParameters(refusal)
  }
}

/** Why it was refused, for whoever may know. */
export function tellRefusal(refusal: ExchangeRefusal, trial: Trial): string {
  switch (refusal.reason) {
    case 'client_not_allowed':
      return 'The client is registered, and may not exchange tokens'
    case 'subject_token_refused':
      return tellCause(refusal.cause, trial.credential)
    default:
      return tellShortfall(refusal, trial)
  }
}

function tellCause(cause: SubjectRefusal['cause'], { standing, verified }: CheckedCredential): string {
  if (verified.ok) return 'Less than a whole second is left of the credential: a token would be born expired'
  const { credential, organization, role } = standing
  switch (cause) {
    case 'credential_unknown':
      return `What has this id is no ${credential.kind === 'personal' ? 'API key' : 'PAT'}`
    case 'secret_mismatch':
      return 'The id exists, and the secret is wrong'
    case 'credential_revoked': {
      const why = credential.revokedReason === null ? '' : `: ${credential.revokedReason}`
      return `It was revoked ${toText(credential.revokedAt)}${why}`
    }
    case 'credential_superseded':
      return `Its successor took over ${toText(credential.overlapUntil)}`
    case 'credential_expired':
      return `It expired ${toText(credential.expiresAt)}, as agreed when it was made`
    case 'organization_deleted':
      return `The organization "${organization.slug}" was deleted`
    case 'owner_deleted':
      return 'Its owner was deleted'
    case 'owner_suspended':
      return 'Its owner is suspended'
    case 'membership_missing':
      return `Its owner is not a member of "${organization.slug}" any more`
    case 'role_missing':
      return 'The role was deleted, and no other was given'
    case 'blocked_by_policy': {
      const expiry = expiryOf(standing)
      return `The role "${role?.name ?? ''}" is not exempt, and it worked until ${expiry ? tellExpiry(expiry) : ''}`
    }
    case 'address_not_allowed':
      return `The address does not lie in ${enumerate(credential.allowedCidrs ?? [])}`
  }
}

const toText = (instant: Date | null): string => instant?.toISOString() ?? ''

function tellShortfall(refusal: ReachRefusal, { wish, credential: { standing }, client }: Trial): string {
  const targets = listTargets(standing, client, listAudiences(wish))
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

import { limitOf } from '../credential/blocking-rule.ts'
import { expiryOf, subjectOf } from '../credential/standing.ts'
import type { CheckedCredential, Trial } from './attempt.ts'
import { MAX_EXCHANGES } from './decide.ts'
import { MAX_ACTORS } from './delegation.ts'
import { describeParameters, type ExchangeRefusal, type Nobody, type RequestRefusal } from './refusal.ts'
import { enumerate } from './step.ts'
import { tellShortfall } from './tell-shortfall.ts'
import { tellExpiry } from './tell-standing.ts'

type SubjectRefusal = Extract<ExchangeRefusal, { reason: 'subject_token_refused' }>

/** What is wrong with a request, whoever makes it. */
export function tellRequestRefusal(refusal: RequestRefusal): string {
  switch (refusal.reason) {
    case 'subject_token_refused':
    case 'actor_token_refused':
      return tellNobody(refusal)
    case 'details_refused':
      return 'authorization_details is no JSON array of details with type, actions and, if wanted, identifier and locations'
    case 'proof_refused':
      return 'The DPoP proof is not valid'
    case 'scope_malformed':
      return 'scope is not a list of scopes with one blank between them and no wildcard, or names too many'
    case 'resource_malformed':
      return 'resource is no absolute URI, or has a fragment'
    case 'parameter_malformed':
      return `${describeParameters(refusal)}, or names too many`
    default:
      return describeParameters(refusal)
  }
}

function tellNobody({ reason, cause }: Extract<RequestRefusal, { cause: Nobody }>): string {
  if (cause === 'token_revoked') return 'The access token was revoked by itself'
  if (cause === 'token_invalid') return 'The access token is none of ours, or has expired'
  return reason === 'subject_token_refused'
    ? 'subject_token is no credential: its prefix, length, alphabet or checksum is wrong; nor is it a JWT, or its type is another'
    : 'actor_token is neither a credential nor an access token of the type it is said to be'
}

/** Why it was refused, for whoever may know. */
export function tellRefusal(refusal: ExchangeRefusal, trial: Trial): string {
  switch (refusal.reason) {
    case 'client_not_allowed':
      return 'The client is registered, and may not exchange tokens'
    case 'subject_token_refused':
      return tellCause(refusal.cause, trial.credential)
    case 'actor_token_refused':
      return tellActorRefusal(refusal.cause, trial)
    case 'proof_required':
      return `The resource server "${refusal.audience}" takes no token but one that is bound to a key, and there is no DPoP proof`
    default:
      return tellShortfall(refusal, trial)
  }
}

type ActorRefusal = Extract<ExchangeRefusal, { reason: 'actor_token_refused' }>

/** Of an actor whose own credential fails there is no more to say here: it can be asked about by itself. */
function tellActorRefusal(cause: ActorRefusal['cause'], { actor, client }: Trial): string {
  switch (cause) {
    case 'actor_not_permitted': {
      const sub = actor ? subjectOf(actor.standing) : ''
      return `The credential names no actor "${sub}" whom "${client.clientId}" may bring`
    }
    case 'actor_delegated':
      return 'The access token of the actor says that somebody else acts for them'
    case 'actors_too_many':
      return `At most ${MAX_ACTORS} may act one after the other`
    default:
      return `The actor's own credential is refused: ${cause}`
  }
}

function tellCause(cause: SubjectRefusal['cause'], { standing, verified }: CheckedCredential): string {
  if (cause === 'exchanged_too_often') return `At most ${MAX_EXCHANGES} exchanges may lead to a token`
  if (cause === 'token_unproven')
    return 'The access token is bound to a key, and no DPoP proof is by that key'
  if (verified.ok) return 'Less than a whole second is left of the credential: a token would be born expired'
  const { credential, organization, role } = standing
  switch (cause) {
    case 'token_invalid':
      return 'The access token is none of ours, or has expired'
    case 'token_revoked':
      return 'The access token was revoked by itself'
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
      const limit =
        expiry && 'level' in expiry ? `, which is ${limitOf(standing.policies, expiry)} seconds` : ''
      return `The role "${role?.name ?? ''}" is not exempt, and it worked until ${expiry ? tellExpiry(expiry) : ''}${limit}`
    }
    case 'address_not_allowed':
      return `The address does not lie in ${enumerate(credential.allowedCidrs ?? [])}`
  }
}

const toText = (instant: Date | null): string => instant?.toISOString() ?? ''

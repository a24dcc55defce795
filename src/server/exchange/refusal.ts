// Every way an exchange is refused. `reason` goes to the audit record; what the client learns is decided elsewhere.

import type { ProofProblem } from '../../protocol/dpop.ts'
import type { TooManyFailures } from '../credential/attempt-limits.ts'
import type { DelegationRefusal } from './delegation.ts'
import type { PresentationRefusal } from './present.ts'

/** What is wrong with the parameters by themselves. It is no secret: everyone gets the same words. */
export type ParameterRefusal =
  | {
      readonly reason:
        | 'parameter_missing'
        | 'parameter_repeated'
        | 'parameter_malformed'
        | 'parameter_unsupported'
      readonly parameter: string
    }
  | { readonly reason: 'parameters_too_many' }

/** Why nobody stands behind what was presented: it is none of ours, by its form or by its signature, or was revoked. */
export type Nobody = 'credential_malformed' | 'token_invalid' | 'token_revoked'

/** What is found before anything is looked up. */
export type RequestRefusal =
  | ParameterRefusal
  | { readonly reason: 'subject_token_refused'; readonly cause: Nobody }
  | { readonly reason: 'actor_token_refused'; readonly cause: Nobody }
  | { readonly reason: 'proof_refused'; readonly cause: ProofProblem }
  | { readonly reason: 'scope_malformed' | 'resource_malformed' }
  | { readonly reason: 'details_refused'; readonly cause: 'details_malformed' }

/** What is wished for is not what the credential gives, by this client and at these resource servers. */
export type ReachRefusal =
  | { readonly reason: 'audience_ambiguous' }
  | { readonly reason: 'audience_not_permitted'; readonly audience: string }
  | { readonly reason: 'audiences_incompatible' }
  | { readonly reason: 'scope_exceeds'; readonly scope: string }
  | { readonly reason: 'scopes_differ' }
  | { readonly reason: 'details_refused'; readonly cause: 'details_exceed'; readonly scope: string }
  | { readonly reason: 'details_refused'; readonly cause: 'details_elsewhere' }

export type DecisionRefusal =
  | {
      readonly reason: 'subject_token_refused'
      readonly cause: PresentationRefusal['reason'] | 'exchanged_too_often' | 'token_unproven'
    }
  | { readonly reason: 'actor_token_refused'; readonly cause: 'credential_expired' | 'token_unproven' }
  | { readonly reason: 'proof_required'; readonly audience: string }
  | ReachRefusal

/** What an exchange with a well-formed request, by a client that is known, comes to if not to a decision. */
export type ExchangeRefusal =
  | DecisionRefusal
  | {
      readonly reason: 'actor_token_refused'
      readonly cause: PresentationRefusal['reason'] | DelegationRefusal['reason']
    }
  | { readonly reason: 'client_not_allowed' }

export type Refusal =
  | RequestRefusal
  | ExchangeRefusal
  | { readonly reason: 'client_unknown' }
  /** Nothing was judged, and nothing is recorded. */
  | TooManyFailures

type CauseOf<One> = One extends { readonly cause: infer Cause }
  ? Cause
  : One extends { readonly reason: infer Reason }
    ? Reason
    : never

export type RefusalCause = CauseOf<Refusal>

/** The true cause as one stable word for audit records, logs and metrics. */
export const causeOf = (refusal: Refusal): RefusalCause =>
  'cause' in refusal ? refusal.cause : refusal.reason

/** Every cause there is. One that is missing here does not compile. */
export const REFUSAL_CAUSES = Object.keys({
  parameter_missing: true,
  parameter_repeated: true,
  parameter_malformed: true,
  parameter_unsupported: true,
  parameters_too_many: true,
  credential_malformed: true,
  token_invalid: true,
  token_revoked: true,
  exchanged_too_often: true,
  actor_not_permitted: true,
  actor_delegated: true,
  actors_too_many: true,
  scope_malformed: true,
  resource_malformed: true,
  client_unknown: true,
  client_not_allowed: true,
  too_many_failures: true,
  credential_unknown: true,
  secret_mismatch: true,
  address_not_allowed: true,
  credential_revoked: true,
  credential_superseded: true,
  credential_expired: true,
  organization_deleted: true,
  owner_deleted: true,
  owner_suspended: true,
  membership_missing: true,
  role_missing: true,
  blocked_by_policy: true,
  audience_ambiguous: true,
  audience_not_permitted: true,
  audiences_incompatible: true,
  scope_exceeds: true,
  scopes_differ: true,
  details_malformed: true,
  details_exceed: true,
  details_elsewhere: true,
  token_unproven: true,
  proof_required: true,
  proof_malformed: true,
  proof_type_wrong: true,
  proof_algorithm_unsupported: true,
  proof_key_unusable: true,
  proof_signature_wrong: true,
  proof_claims_incomplete: true,
  proof_method_wrong: true,
  proof_uri_wrong: true,
  proof_not_fresh: true,
  proof_token_wrong: true,
  proof_nonce_wrong: true,
  proof_replayed: true,
} satisfies Record<RefusalCause, true>)

/** What is wrong with the parameters, in words. */
export function describeParameters(refusal: ParameterRefusal): string {
  switch (refusal.reason) {
    case 'parameter_missing':
      return `${refusal.parameter} is missing`
    case 'parameter_repeated':
      return `${refusal.parameter} must not be repeated`
    case 'parameter_malformed':
      return `${refusal.parameter} is malformed`
    case 'parameter_unsupported':
      return `${refusal.parameter} has an unsupported value`
    case 'parameters_too_many':
      return 'the request has too many parameters'
  }
}

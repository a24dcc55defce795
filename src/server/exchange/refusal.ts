// Every way an exchange is refused. `reason` goes to the audit record; what the client learns is decided elsewhere.

import type { CredentialRefusal } from '../credential/verify.ts'

export type Refusal =
  | {
      readonly reason:
        | 'parameter_missing'
        | 'parameter_repeated'
        | 'parameter_malformed'
        | 'parameter_unsupported'
      readonly parameter: string
    }
  | { readonly reason: 'parameters_too_many' }
  | { readonly reason: 'feature_unsupported'; readonly feature: 'DPoP' | 'authorization_details' }
  | {
      readonly reason: 'subject_token_refused'
      readonly cause: CredentialRefusal['reason'] | 'credential_malformed'
    }
  | { readonly reason: 'actor_token_refused'; readonly cause: 'actor_not_permitted' }
  | { readonly reason: 'client_unknown' | 'client_not_allowed' }
  | { readonly reason: 'audience_ambiguous' }
  | { readonly reason: 'audience_not_permitted'; readonly audience: string }
  | { readonly reason: 'audiences_incompatible' }
  | { readonly reason: 'scope_malformed' }
  | { readonly reason: 'scope_exceeds'; readonly scope: string }
  | { readonly reason: 'scopes_differ' }

/** The true cause as one stable word for audit records and logs. */
export const causeOf = (refusal: Refusal): string => ('cause' in refusal ? refusal.cause : refusal.reason)

// Refusals and faults as OAuth errors: the one place that decides what a client learns (contract section 3).

import { errors } from 'oidc-provider'
import type { ProofProblem } from '../../protocol/dpop.ts'
import { OverloadError } from '../../protocol/overload.ts'
import { KeysUnavailable } from '../client-keys/published-keys.ts'
import { isDatabaseAway } from '../db/database.ts'
import { causeOf, describeParameters, type Refusal } from '../exchange/refusal.ts'
import { beforeDeadline } from './deadline.ts'

/** 503, or 429 when it is the client that made too much of it. Never an `invalid_…`. */
class TemporarilyUnavailable extends errors.OIDCProviderError {
  constructor(status: 503 | 429, description: string, cause?: unknown) {
    super(status, 'temporarily_unavailable', { cause })
    this.expose = true
    this.error_description = description
  }
}

/** What no client is told more of; in the words of oidc-provider, so that they are the same whoever answers. */
class ServerError extends errors.OIDCProviderError {
  constructor(cause: unknown) {
    super(500, 'server_error', { cause })
    this.error_description = 'oops! something went wrong'
  }
}

/** Whatever ends a token request, as the OAuth error it is answered with. */
export function toAnswerable(error: unknown): errors.OIDCProviderError {
  const known = toUnavailable(error)
  return known instanceof errors.OIDCProviderError ? known : new ServerError(error)
}

/** Runs `task` up to the deadline of the request it is for, by default the one oidc-provider is at; what it throws is as `toUnavailable` has it. */
export async function answerOutage<T>(task: () => Promise<T>, ctx?: object): Promise<T> {
  try {
    return await beforeDeadline(task, ctx)
  } catch (error) {
    throw toUnavailable(error)
  }
}

/** What a database that is away, an overload and keys nobody could fetch are to a client; every other fault stays what it is. */
export const toUnavailable = (error: unknown): unknown =>
  isDatabaseAway(error) || error instanceof OverloadError || error instanceof KeysUnavailable
    ? new TemporarilyUnavailable(503, 'try again later', error)
    : error

/** The answer to a refusal. Every invalid subject token gets the same bytes; the cause stays in `detail`. */
export function toOAuthError(refusal: Refusal): errors.OIDCProviderError {
  const detail = causeOf(refusal)
  switch (refusal.reason) {
    case 'parameter_missing':
    case 'parameter_repeated':
    case 'parameter_malformed':
    case 'parameter_unsupported':
    case 'parameters_too_many':
      return invalidRequest(describeParameters(refusal), detail)
    case 'subject_token_refused':
      return invalidRequest('subject_token is not valid', detail)
    case 'actor_token_refused':
      return invalidRequest('actor_token is not valid', detail)
    case 'client_unknown':
      return new errors.InvalidClientAuth(detail)
    case 'too_many_failures':
      return new TemporarilyUnavailable(429, 'too many failed attempts, try again later')
    case 'client_not_allowed':
      return new errors.UnauthorizedClient('the client may not use this grant', { detail })
    case 'resource_malformed':
      return new errors.InvalidTarget('resource is no absolute URI without a fragment', { detail })
    case 'audience_ambiguous':
      return new errors.InvalidTarget('name the audience: there is not exactly one to choose', { detail })
    case 'audience_not_permitted':
      return new errors.InvalidTarget('the audience is unknown or not permitted', { detail })
    case 'audiences_incompatible':
      return new errors.InvalidTarget('the audiences cannot share one token', { detail })
    case 'scope_malformed':
      return new errors.CustomOIDCProviderError('invalid_scope', 'scope is malformed', { detail })
    case 'scope_exceeds':
      return new errors.CustomOIDCProviderError(
        'invalid_scope',
        'a requested scope is unknown or not permitted',
        { detail },
      )
    case 'proof_refused':
      return refuseProof(refusal.cause)
    case 'proof_required':
      return new errors.CustomOIDCProviderError('invalid_dpop_proof', 'a DPoP proof is required', { detail })
    case 'details_refused':
      return new errors.CustomOIDCProviderError('invalid_authorization_details', DETAILS[refusal.cause], {
        detail,
      })
    case 'scopes_differ':
      return new errors.CustomOIDCProviderError(
        'invalid_scope',
        'the scopes are not the same at each audience',
        { detail },
      )
  }
}

/** The body of the answer to a refusal. */
export function toWireError(refusal: Refusal): { error: string; error_description: string } {
  const { error, error_description = '' } = toOAuthError(refusal)
  return { error, error_description }
}

/** RFC 9449 sections 5 and 8: one answer for every check, but that a nonce is needed. */
const refuseProof = (detail: ProofProblem): errors.OIDCProviderError =>
  detail === 'proof_nonce_wrong'
    ? new errors.CustomOIDCProviderError('use_dpop_nonce', 'the DPoP proof needs the nonce of this server', {
        detail,
      })
    : new errors.CustomOIDCProviderError('invalid_dpop_proof', 'the DPoP proof is not valid', { detail })

const DETAILS = {
  details_malformed: 'authorization_details is malformed, or has a member that is not known',
  details_exceed: 'the authorization details are unknown or not permitted',
  details_elsewhere: 'the locations are not the audiences of the token',
} as const

function invalidRequest(description: string, detail: string): errors.OIDCProviderError {
  return new errors.InvalidRequest(description, undefined, { detail })
}

// The decision: effective scopes = requested ∩ credential ∩ owner's role now ∩ client ∩ resource server, and the
// least of all lifetimes. Pure: keys, HTTP and rows are somebody else's.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { AuthorizationDetail } from '../../protocol/authorization-details.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { type Standing, subjectOf } from '../credential/standing.ts'
import { chooseScopes, chooseTargets, locateDetails } from './choose.ts'
import type { ExchangeClient } from './client.ts'
import { listCaps } from './lifetime.ts'
import type { DecisionRefusal } from './refusal.ts'
import type { ExchangeWish } from './request.ts'

export interface Decision {
  readonly subject: string
  readonly organization: { readonly id: string; readonly slug: string }
  readonly credentialId: string
  readonly clientId: string
  readonly audiences: readonly [string, ...string[]]
  readonly scopes: readonly string[]
  /** Part of the scopes, as they were asked for, each with its locations; null: none were. */
  readonly details: readonly AuthorizationDetail[] | null
  readonly signingAlg: SigningAlgorithm
  readonly lifetimeSeconds: number
  /** Until the credential itself stops; null for never. */
  readonly subjectExpiresInSeconds: number | null
}

/** Decides an exchange of a verified credential at `now`. */
export function decide(
  request: ExchangeWish,
  standing: Standing,
  client: ExchangeClient,
  now: Date,
): Result<Decision, DecisionRefusal> {
  const chosen = chooseTargets(request, standing, client)
  if (!chosen.ok) return chosen
  const targets = chosen.value
  const scopes = chooseScopes(request, targets)
  if (!scopes.ok) return scopes
  const details = locateDetails(request.details, targets)
  if (!details.ok) return details
  const caps = listCaps(standing, targets, now)
  const lifetimeSeconds = Math.min(...caps.map(({ seconds }) => seconds))
  // Less than a whole second left: a token would be born expired.
  if (lifetimeSeconds < 1) return fail({ reason: 'subject_token_refused', cause: 'credential_expired' })
  const [first, ...others] = targets
  return ok({
    subject: subjectOf(standing),
    organization: standing.organization,
    credentialId: standing.credential.id,
    clientId: client.clientId,
    audiences: [first.audience, ...others.map(({ audience }) => audience)],
    scopes: scopes.value,
    details: details.value,
    signingAlg: first.signingAlg,
    lifetimeSeconds,
    subjectExpiresInSeconds: caps.find(({ by }) => by === 'credential')?.seconds ?? null,
  })
}

// The decision: effective scopes = requested ∩ credential ∩ owner's role now ∩ client ∩ resource server, and the
// least of all lifetimes. Pure: keys, HTTP and rows are somebody else's.

import type { Act, SigningAlgorithm } from '../../protocol/access-token.ts'
import type { AuthorizationDetail } from '../../protocol/authorization-details.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { subjectOf } from '../credential/standing.ts'
import { chooseScopes, chooseTargets, locateDetails } from './choose.ts'
import type { ExchangeClient } from './client.ts'
import type { Actor } from './delegation.ts'
import { findLeast, findRemainder, listCaps, refuseTooNear } from './lifetime.ts'
import { isProven } from './possession.ts'
import type { Presenter } from './present.ts'
import type { DecisionRefusal } from './refusal.ts'
import type { ExchangeWish } from './request.ts'

export interface Decision {
  readonly subject: string
  /** Who acts for the subject; null: nobody but the subject. */
  readonly act: Act | null
  readonly organization: { readonly id: string; readonly slug: string }
  readonly credentialId: string
  /** The credential's place in the token status lists. */
  readonly statusIndex: number
  readonly clientId: string
  readonly audiences: readonly [string, ...string[]]
  readonly scopes: readonly string[]
  /** Part of the scopes, as they were asked for, each with its locations; null: none were. */
  readonly details: readonly AuthorizationDetail[] | null
  /** How many exchanges lead from the credential to the token, this one included. */
  readonly exchanges: number
  /** Thumbprint of the key the token is bound to; null: whoever bears it may use it. */
  readonly boundKey: string | null
  readonly signingAlg: SigningAlgorithm
  readonly lifetimeSeconds: number
  /** Until the credential itself stops however much it is used; null for never. */
  readonly subjectExpiresInSeconds: number | null
}

/** How many exchanges may lead from a credential to a token. */
export const MAX_EXCHANGES = 4

/** Decides an exchange of a verified credential or access token at `now`, with whoever is to act for its subject. */
export function decide(
  wish: ExchangeWish,
  subject: Presenter,
  client: ExchangeClient,
  now: Date,
  actor: Actor | null = null,
): Result<Decision, DecisionRefusal> {
  const { standing, token } = subject
  if (!isProven(wish, token)) return fail({ reason: 'subject_token_refused', cause: 'token_unproven' })
  const exchanges = token ? (token.exchanges ?? 1) + 1 : 1
  if (exchanges > MAX_EXCHANGES)
    return fail({ reason: 'subject_token_refused', cause: 'exchanged_too_often' })
  const chosen = chooseTargets(wish, subject, client)
  if (!chosen.ok) return chosen
  const targets = chosen.value
  const scopes = chooseScopes(wish, targets)
  if (!scopes.ok) return scopes
  const details = locateDetails(wish.details, targets)
  if (!details.ok) return details
  const caps = listCaps({ ...subject, actor }, targets, now)
  const least = findLeast(caps)
  // A token would be born expired.
  if (least.seconds < 1) return fail(refuseTooNear(least))
  // Last, so that whoever brings no proof learns nothing they could not have.
  const demanding = targets.find(({ dpopRequired }) => dpopRequired)
  if (demanding && wish.proofKey === undefined)
    return fail({ reason: 'proof_required', audience: demanding.audience })
  const [first, ...others] = targets
  return ok({
    subject: subjectOf(standing),
    act: actor?.act ?? token?.act ?? null,
    organization: standing.organization,
    credentialId: standing.credential.id,
    statusIndex: standing.credential.statusIndex,
    clientId: client.clientId,
    audiences: [first.audience, ...others.map(({ audience }) => audience)],
    scopes: scopes.value,
    details: details.value,
    exchanges,
    boundKey: wish.proofKey ?? null,
    signingAlg: first.signingAlg,
    lifetimeSeconds: least.seconds,
    subjectExpiresInSeconds: findRemainder(standing, caps, now),
  })
}

// The decision: effective scopes = requested ∩ credential ∩ owner's role now ∩ client ∩ resource server, and the
// least of all lifetimes. Pure: keys, HTTP and rows are somebody else's.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import { expiryOf, type Grant, type Standing, subjectOf } from '../credential/standing.ts'
import { accessTokenCap } from '../policy/effective-expiry.ts'
import type { Refusal } from './refusal.ts'
import type { ExchangeRequest } from './request.ts'

/** The software that asks, already authenticated. */
export interface ExchangeClient {
  readonly clientId: string
  readonly mayExchange: boolean
  /** Null: every resource server. */
  readonly audiences: readonly string[] | null
}

export interface Decision {
  readonly subject: string
  readonly organization: { readonly id: string; readonly slug: string }
  readonly credentialId: string
  readonly clientId: string
  readonly audiences: readonly [string, ...string[]]
  readonly scopes: readonly string[]
  readonly signingAlg: SigningAlgorithm
  readonly lifetimeSeconds: number
  /** Until the credential itself stops; null for never. */
  readonly subjectExpiresInSeconds: number | null
}

/** What a credential may do at one resource server. Its scopes are concrete and never empty. */
export interface Target {
  readonly audience: string
  readonly scopes: readonly string[]
  readonly accessTokenTtlSeconds: number
  readonly signingAlg: SigningAlgorithm
}

/**
 * What `standing` may be exchanged for, at these audiences or, for none, at all of them; by `client`, or for null by
 * the credential's holder itself.
 */
export function listTargets(
  { credential, role }: Standing,
  client: Pick<ExchangeClient, 'audiences'> | null,
  audiences: readonly string[] = [],
): Target[] {
  const toTarget = (grant: Grant): Target => {
    const ofRole = narrowScopes(grant.scopes, grant.declaredScopes)
    const chosen = credential.permissions?.filter(({ audience }) => audience === grant.audience)
    const scopes = chosen
      ? narrowScopes(
          ofRole,
          chosen.flatMap((permission) => permission.scopes),
        )
      : ofRole
    return { ...grant, scopes }
  }
  return (role?.grants ?? [])
    .filter(({ audience }) => audiences.length === 0 || audiences.includes(audience))
    .filter(({ audience }) => client?.audiences?.includes(audience) ?? true)
    .map(toTarget)
    .filter(({ scopes }) => scopes.length > 0)
}

/** Decides an exchange of a verified credential at `now`. */
export function decide(
  request: ExchangeRequest,
  standing: Standing,
  client: ExchangeClient,
  now: Date,
): Result<Decision, Refusal> {
  const chosen = chooseTargets(request.audiences, listTargets(standing, client, request.audiences))
  if (!chosen.ok) return chosen
  const targets = chosen.value
  const scopes = chooseScopes(request.scopes, targets)
  if (!scopes.ok) return scopes
  const expiry = expiryOf(standing)
  const remaining = expiry && Math.floor((expiry.at.getTime() - now.getTime()) / 1000)
  const caps = [remaining, accessTokenCap(standing.policies)].filter((cap) => cap !== null)
  const lifetimeSeconds = Math.min(...targets.map((target) => target.accessTokenTtlSeconds), ...caps)
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
    signingAlg: first.signingAlg,
    lifetimeSeconds,
    subjectExpiresInSeconds: remaining,
  })
}

type Targets = readonly [Target, ...Target[]]

function chooseTargets(audiences: readonly string[], permitted: readonly Target[]): Result<Targets, Refusal> {
  const refused = audiences.find((audience) => !permitted.some((target) => target.audience === audience))
  if (refused !== undefined) return fail({ reason: 'audience_not_permitted', audience: refused })
  if (audiences.length === 0 && permitted.length !== 1) return fail({ reason: 'audience_ambiguous' })
  const [first, ...others] = permitted
  if (!first) return fail({ reason: 'audience_ambiguous' })
  // One token has one signature: resource servers that pin different algorithms cannot share it.
  if (others.some(({ signingAlg }) => signingAlg !== first.signingAlg))
    return fail({ reason: 'audiences_incompatible' })
  return ok([first, ...others])
}

/** The scopes of a token are the same at each of its audiences, or there is no token. */
function chooseScopes(
  requested: readonly string[] | null,
  targets: Targets,
): Result<readonly string[], Refusal> {
  if (requested) {
    const excess = requested.find((scope) => !targets.every((target) => anyCovers(target.scopes, scope)))
    return excess === undefined ? ok(requested) : fail({ reason: 'scope_exceeds', scope: excess })
  }
  const [{ scopes }, ...others] = targets
  const same = others.every((other) => other.scopes.join(' ') === scopes.join(' '))
  return same ? ok(scopes) : fail({ reason: 'scopes_differ' })
}

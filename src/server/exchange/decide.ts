// The decision: effective scopes = requested ∩ credential ∩ owner's role now ∩ client ∩ resource server, and the
// least of all lifetimes. Pure: keys, HTTP and rows are somebody else's.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { anyCovers, narrowShared } from '../../protocol/scope.ts'
import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { type Grant, type Permission, type Standing, subjectOf } from '../credential/standing.ts'
import { listGranted, narrowToChosen } from './granted.ts'
import { listCaps } from './lifetime.ts'
import type { DecisionRefusal, ReachRefusal } from './refusal.ts'
import type { ExchangeWish } from './request.ts'

/** The software that asks, already authenticated. */
export interface ExchangeClient {
  readonly clientId: string
  readonly mayExchange: boolean
  /** Null: every resource server. */
  readonly audiences: readonly string[] | null
}

/** A registered client as an exchange sees it. */
export const toExchangeClient = ({
  clientId,
  grantTypes,
  audiences,
}: {
  readonly clientId: string
  readonly grantTypes: readonly string[]
  readonly audiences: readonly string[] | null
}): ExchangeClient => ({ clientId, mayExchange: grantTypes.includes(TOKEN_EXCHANGE_GRANT), audiences })

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

/** What is left of a grant's scopes after each bound. */
export interface Narrowing {
  /** What the credential chose of the role. */
  readonly chosen: readonly string[]
  /** What the resource server knows of that: concrete scopes. */
  readonly effective: readonly string[]
}

/** A grant, narrowed by what the credential chose at its audience, and by what the resource server declares. */
export function narrowGrant(grant: Grant, permissions: readonly Permission[] | null): Narrowing {
  const chosen = narrowToChosen(grant, permissions)
  return { chosen, effective: narrowShared(chosen, grant.declaredScopes) }
}

/** Whether the client may ask for this audience. */
export const mayReach = (client: Pick<ExchangeClient, 'audiences'>, audience: string): boolean =>
  client.audiences?.includes(audience) ?? true

/** What `standing` may be exchanged for by `client`, at these audiences or, for none, at all of them. */
export function listTargets(
  standing: Standing,
  client: Pick<ExchangeClient, 'audiences'>,
  audiences: readonly string[] = [],
): Target[] {
  return listGranted(standing, audiences)
    .filter(({ audience }) => mayReach(client, audience))
    .map((grant) => ({ ...grant, scopes: narrowShared(grant.scopes, grant.declaredScopes) }))
    .filter(({ scopes }) => scopes.length > 0)
}

/** Decides an exchange of a verified credential at `now`. */
export function decide(
  request: ExchangeWish,
  standing: Standing,
  client: ExchangeClient,
  now: Date,
): Result<Decision, DecisionRefusal> {
  const chosen = chooseTargets(request.audiences, listTargets(standing, client, request.audiences))
  if (!chosen.ok) return chosen
  const targets = chosen.value
  const scopes = chooseScopes(request.scopes, targets)
  if (!scopes.ok) return scopes
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
    signingAlg: first.signingAlg,
    lifetimeSeconds,
    subjectExpiresInSeconds: caps.find(({ by }) => by === 'credential')?.seconds ?? null,
  })
}

type Targets = readonly [Target, ...Target[]]

function chooseTargets(
  audiences: readonly string[],
  permitted: readonly Target[],
): Result<Targets, ReachRefusal> {
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
): Result<readonly string[], ReachRefusal> {
  if (requested) {
    const excess = requested.find((scope) => !targets.every((target) => anyCovers(target.scopes, scope)))
    return excess === undefined ? ok(requested) : fail({ reason: 'scope_exceeds', scope: excess })
  }
  const [{ scopes }, ...others] = targets
  const same = others.every((other) => other.scopes.join(' ') === scopes.join(' '))
  return same ? ok(scopes) : fail({ reason: 'scopes_differ' })
}

// Of what a credential reaches, what is asked for: the targets, scopes and details of one token, or why there is none.

import { type AuthorizationDetail, scopesOf } from '../../protocol/authorization-details.ts'
import { fail, ok, type Result } from '../../protocol/result.ts'
import { anyCovers } from '../../protocol/scope.ts'
import type { ExchangeClient } from './client.ts'
import type { Presenter } from './present.ts'
import type { ReachRefusal } from './refusal.ts'
import { type ExchangeWish, listAsked } from './request.ts'
import { listTargets, type Target } from './target.ts'

/** Those one token is for. */
type Targets = readonly [Target, ...Target[]]

export function chooseTargets(
  wish: ExchangeWish,
  { standing, token }: Presenter,
  client: ExchangeClient,
): Result<Targets, ReachRefusal> {
  const audiences = listAudiences(wish)
  const permitted = listTargets(standing, client, audiences, token)
  const refused = audiences.find((audience) => !permitted.some((target) => target.audience === audience))
  if (refused !== undefined)
    return wish.audiences.length > 0
      ? fail({ reason: 'audience_not_permitted', audience: refused })
      : fail({ reason: 'details_refused', cause: 'details_elsewhere' })
  if (audiences.length === 0 && permitted.length !== 1) return fail({ reason: 'audience_ambiguous' })
  const [first, ...others] = permitted
  if (!first) return fail({ reason: 'audience_ambiguous' })
  // One token has one signature: resource servers that pin different algorithms cannot share it.
  if (others.some(({ signingAlg }) => signingAlg !== first.signingAlg))
    return fail({ reason: 'audiences_incompatible' })
  return ok([first, ...others])
}

/** The scopes of a token are the same at each of its audiences, or there is no token. */
export function chooseScopes(wish: ExchangeWish, targets: Targets): Result<readonly string[], ReachRefusal> {
  const findExcess = (wanted: readonly string[]): string | undefined =>
    wanted.find((scope) => !targets.every((target) => anyCovers(target.scopes, scope)))
  const excess = findExcess(wish.scopes ?? [])
  if (excess !== undefined) return fail({ reason: 'scope_exceeds', scope: excess })
  const beyond = findExcess(scopesOf(wish.details ?? []))
  if (beyond !== undefined) return fail({ reason: 'details_refused', cause: 'details_exceed', scope: beyond })
  const asked = listAsked(wish)
  if (asked) return ok(asked)
  const [{ scopes }, ...others] = targets
  const same = others.every((other) => other.scopes.join(' ') === scopes.join(' '))
  return same ? ok(scopes) : fail({ reason: 'scopes_differ' })
}

/** Whoever names no audience means the locations of the details (RFC 9396 section 2.2), if those say any. */
export const listAudiences = ({ audiences, details }: ExchangeWish): readonly string[] =>
  audiences.length > 0 ? audiences : [...new Set(details?.flatMap(({ locations = [] }) => locations))]

/** Like its scopes, the details of a token are the same at each of its audiences. */
export function locateDetails(
  details: ExchangeWish['details'],
  targets: Targets,
): Result<ExchangeWish['details'], ReachRefusal> {
  if (!details) return ok(null)
  const audiences = targets.map(({ audience }) => audience)
  const isElsewhere = ({ locations = audiences }: AuthorizationDetail): boolean =>
    !audiences.every((audience) => locations.includes(audience)) ||
    !locations.every((location) => audiences.includes(location))
  if (details.some(isElsewhere)) return fail({ reason: 'details_refused', cause: 'details_elsewhere' })
  return ok(details.map((detail) => ({ ...detail, locations: audiences })))
}

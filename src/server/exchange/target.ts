// What a credential reaches: its role's grants, bound after bound, at each resource server.

import {
  type AccessTokenClaims,
  readAudiences,
  readScopes,
  type SigningAlgorithm,
} from '../../protocol/access-token.ts'
import { narrowScopes, narrowShared } from '../../protocol/scope.ts'
import type { Grant, Permission, Standing } from '../credential/standing.ts'
import { type ExchangeClient, mayReach } from './client.ts'
import { listGranted, narrowToChosen } from './granted.ts'

/** What a credential may do at one resource server. Its scopes are concrete and never empty. */
export interface Target {
  readonly audience: string
  readonly scopes: readonly string[]
  readonly accessTokenTtlSeconds: number
  readonly signingAlg: SigningAlgorithm
  /** Whether its tokens have to be bound to a key. */
  readonly dpopRequired: boolean
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

/**
 * What `standing` may be exchanged for by `client`, at these audiences or, for none, at all of them. Presented as an access
 * token, it reaches no further than that does.
 */
export function listTargets(
  standing: Standing,
  client: Pick<ExchangeClient, 'audiences'>,
  audiences: readonly string[] = [],
  token: TokenReach | null = null,
): Target[] {
  return listGranted(standing, audiences)
    .filter(({ audience }) => mayReach(client, audience))
    .map((grant) => ({ ...grant, scopes: narrowShared(grant.scopes, grant.declaredScopes) }))
    .map((target) => (token ? narrowToToken(target, token) : target))
    .filter(({ scopes }) => scopes.length > 0)
}

/** What an access token says of its reach. */
export type TokenReach = Pick<AccessTokenClaims, 'aud' | 'scope'>

function narrowToToken(target: Target, token: TokenReach): Target {
  const held = readAudiences(token).includes(target.audience) ? readScopes(token) : []
  return { ...target, scopes: narrowScopes(target.scopes, held) }
}

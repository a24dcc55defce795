// What a role permits, as every statement that asks for it reads it.

import { sql } from 'kysely'
import type { SigningAlgorithm } from '../../protocol/access-token.ts'

/** What a role permits on one resource server, with what that resource server is. */
export interface Grant {
  readonly audience: string
  readonly scopes: readonly string[]
  /** The concrete scopes the resource server knows. */
  readonly declaredScopes: readonly string[]
  readonly accessTokenTtlSeconds: number
  readonly signingAlg: SigningAlgorithm
  /** Whether its tokens have to be bound to a key. */
  readonly dpopRequired: boolean
}

/** What role `r` permits, as a JSON array of `Grant`. */
export const grantsOfRole = sql<Grant[]>`(
  select coalesce(json_agg(json_build_object(
      'audience', s.audience,
      'scopes', p.scopes,
      'declaredScopes', array(select x.scope from resource_scopes x where x.resource_server_id = s.id),
      'accessTokenTtlSeconds', s.access_token_ttl_seconds,
      'signingAlg', s.signing_alg,
      'dpopRequired', s.dpop_required) order by s.audience), '[]')
  from role_permissions p join resource_servers s on s.id = p.resource_server_id
  where p.role_id = r.id)`

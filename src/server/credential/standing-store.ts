// The one statement that decides: credential, owner, membership, role with its permissions and their resource
// servers, and the policies of both levels, for every credential asked about in one turn of the event loop.

import DataLoader from 'dataloader'
import { sql } from 'kysely'
import type { CredentialKind } from '../../protocol/credential.ts'
import { anyCovers, narrowScopes } from '../../protocol/scope.ts'
import type { Database, Queryable } from '../db/database.ts'
import { type Grant, grantsOfRole } from '../db/role-grants.ts'
import { type PolicyJson, toPolicy } from '../policy/store.ts'
import type { HeldGrant, Permission, Standing } from './standing.ts'

interface StandingRow {
  id: string
  kind: CredentialKind
  name: string
  secret_hash: string
  permissions: Permission[] | null
  allowed_cidrs: string[] | null
  issued_reach: 'platform' | 'organization' | null
  issued_scopes: string[] | null
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
  last_used_ip: string | null
  revoked_at: Date | null
  revoked_reason: string | null
  replaces: string | null
  overlap_until: Date | null
  reuse_detected_at: Date | null
  organization_id: string
  organization_slug: string
  organization_deleted: boolean
  owner_id: string | null
  owner_status: 'active' | 'suspended' | 'deleted' | null
  is_member: boolean
  role_name: string | null
  role_reach: 'platform' | 'organization' | null
  management_audience: string | null
  grants: Grant[]
  platform_policy: PolicyJson | null
  organization_policy: PolicyJson | null
}

const MAX_BATCH = 500

/** The standings of the credentials with these ids, in no order; unknown ids are absent. */
export async function findStandings(db: Queryable, ids: readonly string[]): Promise<Standing[]> {
  const { rows } = await sql<StandingRow>`
    select c.id, c.kind, c.name, c.secret_hash, c.permissions, c.allowed_cidrs::text[] as allowed_cidrs, c.issued_reach,
      c.issued_scopes, c.created_at, c.expires_at, c.last_used_at, host(c.last_used_ip) as last_used_ip, c.revoked_at,
      c.revoked_reason, c.replaces, c.overlap_until, c.reuse_detected_at, o.id as organization_id,
      o.slug as organization_slug, o.deleted_at is not null as organization_deleted, u.id as owner_id, u.status as owner_status,
      m.user_id is not null as is_member, r.name as role_name, r.reach as role_reach,
      ${grantsOfRole} as grants, (select s.audience from resource_servers s where s.built_in) as management_audience,
      (select to_jsonb(e) from expiry_policies e where e.organization_id is null) as platform_policy,
      (select to_jsonb(e) from expiry_policies e where e.organization_id = o.id) as organization_policy
    from credentials c
    join organizations o on o.id = c.organization_id
    left join users u on u.id = c.owner_id
    left join memberships m on m.user_id = c.owner_id and m.organization_id = c.organization_id
    left join roles r on r.id = coalesce(c.role_id, m.role_id)
    where c.id = any(${ids})`.execute(db)
  return rows.map(toStanding)
}

/** Looks one standing up; look-ups of one event-loop turn share a statement, and nothing outlives its answer. */
export function createStandingLoader(db: Database): (id: string) => Promise<Standing | undefined> {
  const loader = new DataLoader<string, Standing | undefined>(
    async (ids) => {
      const byId = new Map(
        (await findStandings(db, ids)).map((standing) => [standing.credential.id, standing]),
      )
      return ids.map((id) => byId.get(id))
    },
    { cache: false, maxBatchSize: MAX_BATCH, batchScheduleFn: (dispatch) => void setImmediate(dispatch) },
  )
  return (id) => loader.load(id)
}

function toStanding(row: StandingRow): Standing {
  return {
    credential: {
      id: row.id,
      kind: row.kind,
      name: row.name,
      permissions: row.permissions,
      allowedCidrs: row.allowed_cidrs,
      issuedReach: row.issued_reach,
      issuedScopes: row.issued_scopes,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      lastUsedAt: row.last_used_at,
      lastUsedIp: row.last_used_ip,
      revokedAt: row.revoked_at,
      revokedReason: row.revoked_reason,
      replaces: row.replaces,
      overlapUntil: row.overlap_until,
      reuseDetectedAt: row.reuse_detected_at,
    },
    secretHash: row.secret_hash,
    organization: {
      id: row.organization_id,
      slug: row.organization_slug,
      isDeleted: row.organization_deleted,
    },
    owner:
      row.owner_id && row.owner_status
        ? { id: row.owner_id, status: row.owner_status, isMember: row.is_member }
        : null,
    role:
      row.role_name && row.role_reach
        ? { name: row.role_name, reach: row.role_reach, grants: listGrants(row) }
        : null,
    policies: {
      platform: row.platform_policy && toPolicy(row.platform_policy),
      organization: row.organization_policy && toPolicy(row.organization_policy),
    },
  }
}

/** What the role grants, but of the management API no more than whoever issued the credential had of it. */
const listGrants = ({
  grants,
  issued_scopes: cap,
  management_audience: management,
}: StandingRow): HeldGrant[] =>
  grants.map((grant) =>
    !cap || grant.audience !== management || grant.scopes.every((scope) => anyCovers(cap, scope))
      ? grant
      : { ...grant, scopes: narrowScopes(grant.scopes, cap), ofRole: grant.scopes },
  )

// The standings of credentials: credential, owner, membership, role with its permissions and their resource servers,
// and the policies of both levels, for every credential asked about at once. What many share is read once.

import { type RawBuilder, sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import { type Grant, grantsOfRole } from '../db/role-grants.ts'
import type { Part } from '../db/turn-reader.ts'
import type { ExpiryPolicy } from '../policy/policy.ts'
import { type PolicyJson, toPolicy } from '../policy/store.ts'
import { capRole } from './cap-role.ts'
import type { Credential, Role, Standing } from './standing.ts'

type Instant = 'createdAt' | 'expiresAt' | 'lastUsedAt' | 'revokedAt' | 'overlapUntil' | 'reuseDetectedAt'

/** A credential as JSON: its instants are text. */
type CredentialJson = Omit<Credential, Instant> &
  Record<Instant, string | null> & { readonly createdAt: string }

/** A credential with whose it is: one flat row, which Postgres turns into JSON much faster than nested objects. */
interface HeldJson extends CredentialJson {
  readonly secretHash: string
  readonly organizationId: string
  readonly roleId: string | null
  readonly ownerId: string | null
  readonly ownerStatus: NonNullable<Standing['owner']>['status'] | null
  readonly isMember: boolean
}

interface OrganizationJson {
  readonly id: string
  readonly slug: string
  readonly isDeleted: boolean
  readonly policy: PolicyJson | null
}

interface StandingsJson {
  readonly held: readonly HeldJson[] | null
  readonly organizations: readonly OrganizationJson[] | null
  readonly roles: readonly (Omit<Role, 'grants'> & { readonly id: string; readonly grants: Grant[] })[] | null
  readonly platformPolicy: PolicyJson | null
  readonly managementAudience: string | null
}

const selectStandings = (asked: RawBuilder<unknown>): RawBuilder<StandingsJson> => sql`(
  with held as materialized (
    select c.id, c.kind, c.name, c.permissions, c.allowed_cidrs::text[] as "allowedCidrs", c.may_act as "mayAct", c.issued_reach as "issuedReach",
      c.issued_scopes as "issuedScopes", c.created_at as "createdAt", c.expires_at as "expiresAt",
      c.last_used_at as "lastUsedAt", host(c.last_used_ip) as "lastUsedIp", c.revoked_at as "revokedAt",
      c.revoked_reason as "revokedReason", c.status_index as "statusIndex", c.replaces, c.overlap_until as "overlapUntil",
      c.reuse_detected_at as "reuseDetectedAt", c.secret_hash as "secretHash", c.organization_id as "organizationId",
      coalesce(c.role_id, m.role_id) as "roleId", c.owner_id as "ownerId", u.status as "ownerStatus",
      m.user_id is not null as "isMember"
    from ${asked} c
    left join users u on u.id = c.owner_id
    left join memberships m on m.user_id = c.owner_id and m.organization_id = c.organization_id
  )
  select json_build_object(
    'held', (select json_agg(h) from held h),
    'organizations', (select json_agg(json_build_object(
        'id', o.id, 'slug', o.slug, 'isDeleted', o.deleted_at is not null,
        'policy', (select to_json(e) from expiry_policies e where e.organization_id = o.id)))
      from organizations o where o.id in (select h."organizationId" from held h)),
    'roles', (select json_agg(json_build_object(
        'id', r.id, 'name', r.name, 'reach', r.reach, 'grants', ${grantsOfRole}))
      from roles r where r.id in (select h."roleId" from held h)),
    'platformPolicy', (select to_json(e) from expiry_policies e where e.organization_id is null),
    'managementAudience', (select s.audience from resource_servers s where s.built_in)))`

const exactly = (ids: readonly string[]): RawBuilder<unknown> =>
  sql`(select k.* from credentials k where k.id = any(${ids}::text[]))`

/** In place of an unknown id the one that follows, which nobody looks up: what does not exist takes the time of what does. */
const nearestTo = (ids: readonly string[]): RawBuilder<unknown> => sql`
    unnest(${ids}::text[]) as asked (id) cross join lateral (
      (select k.* from credentials k where k.id >= asked.id order by k.id limit 1)
      union all
      (select k.* from credentials k order by k.id limit 1)
      limit 1
    )`

/** The standings of credentials, as a part of the statement that reads whatever a turn of the event loop asks for. */
export const standingsPart: Part<Standing> = {
  select: (ids) => selectStandings(nearestTo(ids)),
  read: (json) => readStandings(json as StandingsJson),
}

/** The standings of the credentials with these ids, in no order; unknown ids are absent. */
export async function findStandings(db: Queryable, ids: readonly string[]): Promise<Standing[]> {
  if (ids.length === 0) return []
  const { rows } = await sql<{
    standings: StandingsJson
  }>`select ${selectStandings(exactly(ids))} as standings`.execute(db)
  return rows.flatMap(({ standings }) => [...readStandings(standings).values()])
}

function readStandings(json: StandingsJson): Map<string, Standing> {
  const { held, organizations, roles, platformPolicy, managementAudience } = json
  const platform = platformPolicy && toPolicy(platformPolicy)
  const organizationsById = new Map(
    organizations?.map((organization) => [organization.id, toOrganization(organization, platform)]),
  )
  const rolesById = new Map(roles?.map(({ id, ...role }) => [id, role]))
  const standings = (held ?? []).flatMap((row) => {
    const { secretHash, organizationId, roleId, ownerId, ownerStatus, isMember, ...credential } = row
    const organization = organizationsById.get(organizationId)
    if (!organization) return []
    const role = roleId === null ? undefined : rolesById.get(roleId)
    const cap = { scopes: credential.issuedScopes, managementAudience }
    return {
      ...organization,
      credential: toCredential(credential),
      secretHash,
      // An owner who is not found is no reason to take the credential for one that has none.
      owner: ownerId === null ? null : { id: ownerId, status: ownerStatus ?? 'deleted', isMember },
      role: role ? capRole(role, cap) : null,
    }
  })
  return new Map(standings.map((standing) => [standing.credential.id, standing]))
}

const toOrganization = (
  { id, slug, isDeleted, policy }: OrganizationJson,
  platform: ExpiryPolicy | null,
): Pick<Standing, 'organization' | 'policies'> => ({
  organization: { id, slug, isDeleted },
  policies: { platform, organization: policy && toPolicy(policy) },
})

const toInstant = (text: string | null): Date | null => (text === null ? null : new Date(text))

const toCredential = (json: CredentialJson): Credential => ({
  ...json,
  createdAt: new Date(json.createdAt),
  expiresAt: toInstant(json.expiresAt),
  lastUsedAt: toInstant(json.lastUsedAt),
  revokedAt: toInstant(json.revokedAt),
  overlapUntil: toInstant(json.overlapUntil),
  reuseDetectedAt: toInstant(json.reuseDetectedAt),
})

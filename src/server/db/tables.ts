// Row types of `migrations/`, for the query builder. Names are the database's; stores translate them.

import type { ColumnType, Generated } from 'kysely'
import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { CredentialKind } from '../../protocol/credential.ts'

/** A jsonb column: read as a value, written as JSON text (the driver would turn an array into a Postgres array). */
type Json<T> = ColumnType<T, string, string>
type NullableJson<T> = ColumnType<T | null, string | null, string | null>
type Immutable<T> = ColumnType<T, T, never>

export interface PermissionJson {
  readonly audience: string
  readonly scopes: readonly string[]
}

export interface OrganizationsTable {
  id: Immutable<string>
  slug: Immutable<string>
  name: string
  created_at: Immutable<Date>
  deleted_at: ColumnType<Date | null, never, Date>
}

export interface UsersTable {
  id: Immutable<string>
  email: string
  name: string
  status: 'active' | 'suspended' | 'deleted'
  password_hash: string | null
  created_at: Immutable<Date>
}

export interface ResourceServersTable {
  id: Immutable<string>
  audience: string
  name: string
  access_token_ttl_seconds: number
  signing_alg: SigningAlgorithm
  dpop_required: Generated<boolean>
  built_in: Generated<boolean>
  created_at: Immutable<Date>
}

export interface ResourceScopesTable {
  resource_server_id: string
  scope: string
  description: string
}

export interface ClientsTable {
  client_id: Immutable<string>
  name: string
  token_endpoint_auth_method: 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
  secret_hash: string | null
  previous_secret_hash: string | null
  previous_secret_until: Date | null
  jwks: NullableJson<{ keys: Record<string, unknown>[] }>
  jwks_uri: string | null
  grant_types: string[]
  audiences: string[] | null
  built_in: Generated<boolean>
  created_at: Immutable<Date>
}

export interface RolesTable {
  id: Immutable<string>
  organization_id: Immutable<string | null>
  name: string
  reach: 'platform' | 'organization'
  created_at: Immutable<Date>
}

export interface RolePermissionsTable {
  role_id: string
  resource_server_id: string
  scopes: string[]
}

export interface MembershipsTable {
  user_id: string
  organization_id: string
  role_id: string | null
  created_at: Immutable<Date>
}

export interface CredentialsTable {
  id: Immutable<string>
  kind: Immutable<CredentialKind>
  organization_id: Immutable<string>
  owner_id: Immutable<string | null>
  role_id: Immutable<string | null>
  name: string
  secret_hash: string
  permissions: NullableJson<readonly PermissionJson[]>
  allowed_cidrs: string[] | null
  may_act: NullableJson<readonly { readonly sub: string; readonly client_id?: string | undefined }[]>
  issued_by: Immutable<string | null>
  issued_reach: Immutable<'platform' | 'organization' | null>
  issued_scopes: Immutable<string[] | null>
  created_at: Immutable<Date>
  expires_at: Date | null
  last_used_at: Date | null
  last_used_ip: string | null
  recent_use: Generated<number>
  revoked_at: Date | null
  revoked_by: string | null
  revoked_reason: string | null
  replaces: string | null
  overlap_until: Date | null
  reuse_detected_at: Date | null
  status_index: Generated<number>
  /** A trigger's: nobody inserts it. */
  family: Generated<string | null>
}

/** Without `id`, which is for replication alone and has a default. */
export interface ExpiryPoliciesTable {
  organization_id: string | null
  max_lifetime_seconds: number | null
  default_lifetime_seconds: number | null
  idle_timeout_seconds: number | null
  access_token_max_ttl_seconds: number | null
  max_active_tokens: number | null
  applies_to: 'all' | 'new'
  exempt_roles: string[]
  applies_since: Date
}

/** Without `id`, for the same reason. */
export interface ExpiryPolicyVersionsTable extends ExpiryPoliciesTable {
  number: number
  made_at: Date
  made_by: string | null
  stopped: number | null
  stopped_in_use: number | null
}

export interface SigningKeysTable {
  kid: Immutable<string>
  alg: Immutable<SigningAlgorithm>
  public_jwk: Json<Record<string, string>>
  private_key_jwe: string | null
  published_at: Date
  activates_at: Date
  retires_at: Date | null
  gone_at: Date | null
  withdrawn_at: Date | null
}

export interface OidcArtifactsTable {
  model: string
  id: string
  payload: Json<Record<string, unknown>>
  grant_id: string | null
  user_code: string | null
  uid: string | null
  consumed_at: Date | null
  expires_at: Date
}

export interface RevokedTokensTable {
  jti: Immutable<string>
  expires_at: Immutable<Date>
  revoked_at: Immutable<Date>
}

export interface AuditEventsTable {
  id: Immutable<string>
  occurred_at: Immutable<Date>
  type: string
  reason: string | null
  organization_id: string | null
  subject: string | null
  credential_id: string | null
  client_id: string | null
  actor: string | null
  target: string | null
  audiences: string[] | null
  scopes: string[] | null
  token_id: string | null
  ip: string | null
  user_agent: string | null
  request_id: string | null
  detail: NullableJson<Record<string, unknown>>
}

export interface NoticesTable {
  id: Immutable<string>
  credential_id: Immutable<string>
  organization_id: Immutable<string>
  days: Immutable<number>
  channel: Immutable<'email' | 'webhook'>
  receiver: Immutable<string>
  /** Written as a date; read as text, or the driver would make an instant of it. */
  ends_on: ColumnType<never, string, never>
  state: 'pending' | 'delivered' | 'failed' | 'cancelled'
  reason: string | null
  attempts: Generated<number>
  told: Generated<string[]>
  created_at: Immutable<Date>
  changed_at: Date
}

export interface Tables {
  organizations: OrganizationsTable
  users: UsersTable
  resource_servers: ResourceServersTable
  resource_scopes: ResourceScopesTable
  clients: ClientsTable
  roles: RolesTable
  role_permissions: RolePermissionsTable
  memberships: MembershipsTable
  credentials: CredentialsTable
  expiry_policies: ExpiryPoliciesTable
  expiry_policy_versions: ExpiryPolicyVersionsTable
  signing_keys: SigningKeysTable
  oidc_artifacts: OidcArtifactsTable
  revoked_tokens: RevokedTokensTable
  audit_events: AuditEventsTable
  notices: NoticesTable
}

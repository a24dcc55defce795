// What exists without anyone having made it: the management API as a resource server, the three built-in roles and
// the CLI's client. Brought up to date at every start, so that an upgrade or a new issuer takes effect.

import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { Queryable } from '../db/database.ts'

const CLI_CLIENT_ID = 'patmint-cli'
export const BUILT_IN_ROLES = ['platform-admin', 'admin', 'member'] as const

/** Audience of the management API. */
export const apiAudience = (issuer: string): string => `${issuer}/api`

/** Scopes of the management API (contract section 4). */
const API_SCOPES = {
  'tokens:read': 'List and read own credentials',
  'tokens:write': 'Create, rename, rotate and revoke own credentials',
  'tokens:issue': 'Issue credentials for other users',
  'tokens:admin': 'List and revoke every credential of an organization',
  'users:read': 'List and read users',
  'users:write': 'Create, change, suspend and delete users',
  'organizations:read': 'Read organizations, members and roles',
  'organizations:write': 'Change organizations, members and roles',
  'keys:read': 'List and read API keys',
  'keys:write': 'Create and revoke API keys',
  'policy:read': 'Read expiry policies',
  'policy:write': 'Change expiry policies',
  'clients:read': 'List and read clients and resource servers',
  'clients:write': 'Change clients and resource servers',
  'signing-keys:write': 'Rotate and withdraw signing keys',
  'audit:read': 'Read audit events',
} as const

const ROLES = {
  'platform-admin': { reach: 'platform', scopes: ['*:*'] },
  admin: {
    reach: 'organization',
    scopes: ['tokens:*', 'users:read', 'organizations:*', 'keys:*', 'policy:*', 'audit:read'],
  },
  member: { reach: 'organization', scopes: ['tokens:read', 'tokens:write'] },
} as const satisfies Record<(typeof BUILT_IN_ROLES)[number], { reach: string; scopes: readonly string[] }>

/** Makes or updates everything built in. Idempotent; needs a transaction of its own. */
export async function ensureBuiltIns(db: Queryable, issuer: string, now: Date): Promise<void> {
  // Instances that start together: `on conflict` minds one unique index, and the audience has another.
  await db
    .selectNoFrom(({ fn, val }) =>
      fn('pg_advisory_xact_lock', [fn('hashtext', [val('patmint.built_ins')])]).as('lock'),
    )
    .execute()
  const resourceServerId = await ensureApi(db, issuer, now)
  for (const [name, { reach, scopes }] of Object.entries(ROLES)) {
    const roleId = await ensureRole(db, name, reach, now)
    await db
      .insertInto('role_permissions')
      .values({ role_id: roleId, resource_server_id: resourceServerId, scopes: [...scopes] })
      .onConflict((conflict) =>
        conflict.columns(['role_id', 'resource_server_id']).doUpdateSet({ scopes: [...scopes] }),
      )
      .execute()
  }
  await db
    .insertInto('clients')
    .values({
      client_id: CLI_CLIENT_ID,
      name: 'Patmint CLI',
      token_endpoint_auth_method: 'none',
      grant_types: [TOKEN_EXCHANGE_GRANT],
      built_in: true,
      created_at: now,
    })
    .onConflict((conflict) => conflict.column('client_id').doNothing())
    .execute()
}

/** Whether built-ins were ever made here. */
export async function hasBuiltIns(db: Queryable): Promise<boolean> {
  const row = await db
    .selectFrom('resource_servers')
    .select('id')
    .where('built_in', '=', true)
    .executeTakeFirst()
  return row !== undefined
}

async function ensureApi(db: Queryable, issuer: string, now: Date): Promise<string> {
  const audience = apiAudience(issuer)
  const { id } = await db
    .insertInto('resource_servers')
    .values({
      id: uuidV7(now),
      audience,
      name: 'Patmint management API',
      access_token_ttl_seconds: 300,
      signing_alg: 'ES256',
      built_in: true,
      created_at: now,
    })
    .onConflict((conflict) =>
      conflict.column('built_in').where('built_in', '=', true).doUpdateSet({ audience }),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  const scopes = Object.entries(API_SCOPES).map(([scope, description]) => ({
    resource_server_id: id,
    scope,
    description,
  }))
  await db
    .insertInto('resource_scopes')
    .values(scopes)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return id
}

async function ensureRole(
  db: Queryable,
  name: string,
  reach: 'platform' | 'organization',
  now: Date,
): Promise<string> {
  const { id } = await db
    .insertInto('roles')
    .values({ id: uuidV7(now), organization_id: null, name, reach, created_at: now })
    .onConflict((conflict) => conflict.columns(['organization_id', 'name']).doUpdateSet({ reach }))
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

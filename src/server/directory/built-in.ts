// What exists without anyone having made it: the management API as a resource server, the three built-in roles, and the
// clients of the CLI and of `/forward-auth`. Brought up to date at every start, so that an upgrade takes effect. Another issuer does not: its
// audience would end the management API of the instances that run.

import { TOKEN_EXCHANGE_GRANT } from '../../protocol/urn.ts'
import { uuidV7 } from '../../protocol/uuid.ts'
import type { Queryable } from '../db/database.ts'
import { lockUntilEnd } from '../db/lock.ts'
import { NO_CLIENT_SECRETS_OR_KEYS, saveClient } from './client-store.ts'
import {
  findBuiltInResourceServer,
  insertResourceServer,
  renameAudience,
  replaceScopes,
  updateResourceServer,
} from './resource-server-store.ts'
import { replacePermissions, saveBuiltInRole } from './role-store.ts'

/** Which software asks when a proxy does. */
export const FORWARD_AUTH_CLIENT_ID = 'patmint-forward-auth'

/** Public clients: anybody may give their ids, so they say what was used and bound nothing. */
const CLIENTS = [
  { clientId: 'patmint-cli', name: 'Patmint CLI' },
  { clientId: FORWARD_AUTH_CLIENT_ID, name: 'Patmint for proxies' },
] as const
const CLIENT_SETTINGS = {
  builtIn: true,
  authMethod: 'none',
  ...NO_CLIENT_SECRETS_OR_KEYS,
  grantTypes: [TOKEN_EXCHANGE_GRANT],
  audiences: null,
} as const
const API_SETTINGS = {
  name: 'Patmint management API',
  accessTokenTtlSeconds: 300,
  signingAlg: 'ES256',
  dpopRequired: false,
} as const
const BUILT_IN_ROLES = ['platform-admin', 'admin', 'member'] as const
export const isBuiltInRole = (name: string): boolean => BUILT_IN_ROLES.some((role) => role === name)

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
  'signing-keys:read': 'List signing keys and their states',
  'signing-keys:write': 'Rotate and withdraw signing keys',
  'audit:read': 'Read audit events',
} as const

export type ApiScope = keyof typeof API_SCOPES

export const API_SCOPE_NAMES: readonly string[] = Object.keys(API_SCOPES)

const ROLES = {
  'platform-admin': { reach: 'platform', scopes: ['*:*'] },
  admin: {
    reach: 'organization',
    scopes: ['tokens:*', 'users:read', 'organizations:*', 'keys:*', 'policy:*', 'audit:read'],
  },
  member: { reach: 'organization', scopes: ['tokens:read', 'tokens:write'] },
} as const satisfies Record<(typeof BUILT_IN_ROLES)[number], { reach: string; scopes: readonly string[] }>

/**
 * Makes everything built in or brings it up to date. Idempotent; needs a transaction of its own. Throws when the
 * database belongs to another issuer.
 */
export async function ensureBuiltIns(transaction: Queryable, issuer: string, now: Date): Promise<void> {
  // Instances that start together would each find nothing, and all but the first fail.
  await lockUntilEnd(transaction, 'patmint.built_ins')
  const resourceServerId = await ensureApi(transaction, issuer, now)
  await replaceScopes(transaction, resourceServerId, API_SCOPES)
  for (const [name, { reach, scopes }] of Object.entries(ROLES)) {
    const roleId = await saveBuiltInRole(transaction, { id: uuidV7(now), name, reach }, now)
    await replacePermissions(transaction, roleId, new Map([[resourceServerId, scopes]]))
  }
  for (const client of CLIENTS) await saveClient(transaction, { ...client, ...CLIENT_SETTINGS }, now)
}

/** Whether built-ins were ever made here. */
export const hasBuiltIns = async (db: Queryable): Promise<boolean> =>
  (await findBuiltInResourceServer(db)) !== undefined

async function ensureApi(transaction: Queryable, issuer: string, now: Date): Promise<string> {
  const audience = apiAudience(issuer)
  const existing = await findBuiltInResourceServer(transaction)
  if (!existing) {
    const id = uuidV7(now)
    await insertResourceServer(transaction, { id, audience, builtIn: true, ...API_SETTINGS }, now)
    return id
  }
  if (existing.audience !== audience) {
    requireMovable(existing.audience, issuer)
    await renameAudience(transaction, existing.id, audience)
  }
  await updateResourceServer(transaction, existing.id, API_SETTINGS)
  return existing.id
}

/** Audience under an issuer of a developer's own machine: the port of the day is in it. */
const LOCAL_AUDIENCE = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\/api$/

/** Throws unless whoever starts may take the database over: the statement to do so on purpose is in the message. */
function requireMovable(stored: string, issuer: string): void {
  if (LOCAL_AUDIENCE.test(stored)) return
  const audience = apiAudience(issuer).replaceAll("'", "''")
  throw new Error(
    `the database belongs to the issuer ${stored.replace(/\/api$/, '')}, this server is ${issuer}; to move it, ` +
      `stop every instance and run: update resource_servers set audience = '${audience}' where built_in`,
  )
}

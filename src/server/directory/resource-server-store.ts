// The rows of `resource_servers` and `resource_scopes`.

import { sql } from 'kysely'
import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { Queryable } from '../db/database.ts'
import { unlessTaken } from '../db/unique.ts'

export interface ResourceServerSettings {
  readonly name: string
  readonly accessTokenTtlSeconds: number
  readonly signingAlg: SigningAlgorithm
  /** Whether its tokens have to be bound to a key (RFC 9449). */
  readonly dpopRequired: boolean
}

export interface ResourceServer extends ResourceServerSettings {
  readonly id: string
  readonly audience: string
  readonly builtIn: boolean
}

const COLUMNS = [
  'id',
  'audience',
  'built_in as builtIn',
  'name',
  'access_token_ttl_seconds as accessTokenTtlSeconds',
  'signing_alg as signingAlg',
  'dpop_required as dpopRequired',
] as const

export async function findResourceServer(
  db: Queryable,
  audience: string,
): Promise<ResourceServer | undefined> {
  return db.selectFrom('resource_servers').select(COLUMNS).where('audience', '=', audience).executeTakeFirst()
}

/** A resource server with the scopes it knows, each with its description. */
export interface DescribedResourceServer extends ResourceServer {
  readonly scopes: Readonly<Record<string, string>>
  readonly createdAt: Date
}

const selectDescribed = (db: Queryable) =>
  db
    .selectFrom('resource_servers')
    .select(COLUMNS)
    .select([
      'created_at as createdAt',
      sql<Record<string, string>>`(
        select coalesce(json_object_agg(x.scope, x.description order by x.scope), '{}')
        from resource_scopes x where x.resource_server_id = resource_servers.id)`.as('scopes'),
    ])

export async function describeResourceServer(
  db: Queryable,
  id: string,
): Promise<DescribedResourceServer | undefined> {
  return selectDescribed(db).where('id', '=', id).executeTakeFirst()
}

/** The resource server as whoever changed it before left it; others wait until the transaction ends. */
export async function lockResourceServer(
  transaction: Queryable,
  id: string,
): Promise<DescribedResourceServer | undefined> {
  await transaction
    .selectFrom('resource_servers')
    .select('id')
    .where('id', '=', id)
    .forNoKeyUpdate()
    .execute()
  // A statement of its own: one that had to wait for the lock would show the scopes of before.
  return describeResourceServer(transaction, id)
}

export interface ResourceServerFilter {
  /** Exact; null for all. */
  readonly audience: string | null
  /** Only those made after the one with this id. */
  readonly after: { readonly id: string } | null
  readonly limit: number
}

/** Resource servers, oldest first: by id, which is a UUIDv7. */
export async function listResourceServers(
  db: Queryable,
  { audience, after, limit }: ResourceServerFilter,
): Promise<DescribedResourceServer[]> {
  return selectDescribed(db)
    .$if(audience !== null, (query) => query.where('audience', '=', audience ?? ''))
    .$if(after !== null, (query) => query.where('id', '>', after?.id ?? ''))
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** Those of `audiences` that no resource server has. */
export async function findUnknownAudiences(db: Queryable, audiences: readonly string[]): Promise<string[]> {
  if (audiences.length === 0) return []
  const rows = await db
    .selectFrom('resource_servers')
    .select('audience')
    .where('audience', 'in', audiences)
    .execute()
  const known = new Set(rows.map(({ audience }) => audience))
  return audiences.filter((audience) => !known.has(audience))
}

/** Our own management API; undefined on a database where no server ever ran. */
export async function findBuiltInResourceServer(db: Queryable): Promise<ResourceServer | undefined> {
  return db.selectFrom('resource_servers').select(COLUMNS).where('built_in', '=', true).executeTakeFirst()
}

export async function insertResourceServer(db: Queryable, server: ResourceServer, now: Date): Promise<void> {
  const { id, audience, builtIn } = server
  await db
    .insertInto('resource_servers')
    .values({ id, audience, built_in: builtIn, ...toRow(server), created_at: now })
    .execute()
}

/** Makes a resource server; false when the audience is taken, which ends the transaction. */
export const addResourceServer = (
  transaction: Queryable,
  server: ResourceServer,
  now: Date,
): Promise<boolean> => unlessTaken(insertResourceServer(transaction, server, now))

export async function updateResourceServer(
  db: Queryable,
  id: string,
  settings: ResourceServerSettings,
): Promise<void> {
  await db.updateTable('resource_servers').set(toRow(settings)).where('id', '=', id).execute()
}

/** Deletes a resource server, its scopes, and what roles permit at it. */
export async function deleteResourceServer(db: Queryable, id: string): Promise<void> {
  await db.deleteFrom('resource_servers').where('id', '=', id).execute()
}

/** Gives a resource server another audience. */
export async function renameAudience(db: Queryable, id: string, audience: string): Promise<void> {
  await db.updateTable('resource_servers').set({ audience }).where('id', '=', id).execute()
}

const toRow = ({ name, accessTokenTtlSeconds, signingAlg, dpopRequired }: ResourceServerSettings) => ({
  name,
  access_token_ttl_seconds: accessTokenTtlSeconds,
  signing_alg: signingAlg,
  dpop_required: dpopRequired,
})

/** The scopes of a resource server, each with its description. */
export async function listScopes(db: Queryable, id: string): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('resource_scopes')
    .select(['scope', 'description'])
    .where('resource_server_id', '=', id)
    .execute()
  return new Map(rows.map(({ scope, description }) => [scope, description]))
}

/** What became of a resource server's scopes. */
export interface ScopeChanges {
  readonly removed: readonly string[]
  readonly created: readonly string[]
  /** Described otherwise than before. */
  readonly updated: readonly string[]
}

/** Makes `scopes` all that a resource server knows. Needs a transaction. */
export async function replaceScopes(
  transaction: Queryable,
  id: string,
  scopes: Readonly<Record<string, string>>,
): Promise<ScopeChanges> {
  const before = await listScopes(transaction, id)
  const removed = [...before.keys()].filter((scope) => !Object.hasOwn(scopes, scope))
  const written = Object.entries(scopes).filter(([scope, description]) => before.get(scope) !== description)
  await deleteScopes(transaction, id, removed)
  await saveScopes(transaction, id, written)
  const names = written.map(([scope]) => scope)
  return {
    removed,
    created: names.filter((scope) => !before.has(scope)),
    updated: names.filter((scope) => before.has(scope)),
  }
}

/** Makes scopes, or describes those that exist anew. */
async function saveScopes(
  db: Queryable,
  id: string,
  scopes: readonly (readonly [scope: string, description: string])[],
): Promise<void> {
  if (scopes.length === 0) return
  await db
    .insertInto('resource_scopes')
    .values(scopes.map(([scope, description]) => ({ resource_server_id: id, scope, description })))
    .onConflict((conflict) =>
      conflict
        .columns(['resource_server_id', 'scope'])
        .doUpdateSet({ description: ({ ref }) => ref('excluded.description') }),
    )
    .execute()
}

async function deleteScopes(db: Queryable, id: string, scopes: readonly string[]): Promise<void> {
  if (scopes.length === 0) return
  await db
    .deleteFrom('resource_scopes')
    .where('resource_server_id', '=', id)
    .where('scope', 'in', scopes)
    .execute()
}

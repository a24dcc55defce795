// The rows of `resource_servers` and `resource_scopes`.

import type { SigningAlgorithm } from '../../protocol/access-token.ts'
import type { Queryable } from '../db/database.ts'

export interface ResourceServerSettings {
  readonly name: string
  readonly accessTokenTtlSeconds: number
  readonly signingAlg: SigningAlgorithm
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
] as const

export async function findResourceServer(
  db: Queryable,
  audience: string,
): Promise<ResourceServer | undefined> {
  return db.selectFrom('resource_servers').select(COLUMNS).where('audience', '=', audience).executeTakeFirst()
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

export async function updateResourceServer(
  db: Queryable,
  id: string,
  settings: ResourceServerSettings,
): Promise<void> {
  await db.updateTable('resource_servers').set(toRow(settings)).where('id', '=', id).execute()
}

/** Gives a resource server another audience. */
export async function renameAudience(db: Queryable, id: string, audience: string): Promise<void> {
  await db.updateTable('resource_servers').set({ audience }).where('id', '=', id).execute()
}

const toRow = ({ name, accessTokenTtlSeconds, signingAlg }: ResourceServerSettings) => ({
  name,
  access_token_ttl_seconds: accessTokenTtlSeconds,
  signing_alg: signingAlg,
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

/** Makes scopes, or describes those that exist anew. */
export async function saveScopes(
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

export async function deleteScopes(db: Queryable, id: string, scopes: readonly string[]): Promise<void> {
  if (scopes.length === 0) return
  await db
    .deleteFrom('resource_scopes')
    .where('resource_server_id', '=', id)
    .where('scope', 'in', scopes)
    .execute()
}

// The `resource_servers` section: an audience, its settings, and the whole list of its scopes.

import { uuidV7 } from '../../../protocol/uuid.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import { type ApplyFile, toSeconds } from './schema.ts'

type ResourceServer = ApplyFile['resource_servers'][number]

export async function applyResourceServers(
  run: ApplyRun,
  entries: readonly Declared<ResourceServer>[],
): Promise<void> {
  for (const entry of withoutDuplicates(run, 'resource server', entries, ({ audience }) => audience)) {
    const id = await saveResourceServer(run, entry)
    if (id !== null) await saveScopes(run, id, entry.value)
  }
}

async function saveResourceServer(
  run: ApplyRun,
  { value, at }: Declared<ResourceServer>,
): Promise<string | null> {
  const { audience } = value
  const declared = {
    name: value.name,
    access_token_ttl: toSeconds(value.access_token_ttl),
    signing_alg: value.signing_alg,
  }
  const { access_token_ttl: access_token_ttl_seconds, ...others } = declared
  const row = { ...others, access_token_ttl_seconds }
  const existing = await run.transaction
    .selectFrom('resource_servers')
    .select(['id', 'built_in', 'name', 'access_token_ttl_seconds as access_token_ttl', 'signing_alg'])
    .where('audience', '=', audience)
    .executeTakeFirst()
  if (!existing) {
    const id = uuidV7(run.now)
    await run.transaction
      .insertInto('resource_servers')
      .values({ id, audience, ...row, created_at: run.now })
      .execute()
    run.changes.push(`created resource server ${audience}`)
    return id
  }
  if (existing.built_in) {
    run.problems.push(`${at('audience')}: ${audience} is built in and cannot be declared`)
    return null
  }
  if (noteUpdate(run, `resource server ${audience}`, differingMembers(existing, declared))) {
    await run.transaction.updateTable('resource_servers').set(row).where('id', '=', existing.id).execute()
  }
  return existing.id
}

async function saveScopes(run: ApplyRun, id: string, { audience, scopes }: ResourceServer): Promise<void> {
  const rows = await run.transaction
    .selectFrom('resource_scopes')
    .select(['scope', 'description'])
    .where('resource_server_id', '=', id)
    .execute()
  const before = new Map(rows.map(({ scope, description }) => [scope, description]))
  const removed = [...before.keys()].filter((scope) => !Object.hasOwn(scopes, scope))
  const written = Object.entries(scopes).filter(([scope, description]) => before.get(scope) !== description)
  if (removed.length > 0) {
    await run.transaction
      .deleteFrom('resource_scopes')
      .where('resource_server_id', '=', id)
      .where('scope', 'in', removed)
      .execute()
    run.changes.push(`removed scopes ${removed.join(' ')} of ${audience}`)
  }
  for (const [scope, description] of written) {
    await run.transaction
      .insertInto('resource_scopes')
      .values({ resource_server_id: id, scope, description })
      .onConflict((conflict) =>
        conflict.columns(['resource_server_id', 'scope']).doUpdateSet({ description }),
      )
      .execute()
    run.changes.push(`${before.has(scope) ? 'updated' : 'created'} scope ${scope} of ${audience}`)
  }
}

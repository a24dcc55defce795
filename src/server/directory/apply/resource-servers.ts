// The `resource_servers` section: an audience, its settings, and the whole list of its scopes.

import { uuidV7 } from '../../../protocol/uuid.ts'
import {
  findResourceServer,
  insertResourceServer,
  type ResourceServerSettings,
  replaceScopes,
  updateResourceServer,
} from '../resource-server-store.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import { type ApplyFile, toSeconds } from './schema.ts'

type ResourceServer = ApplyFile['resource_servers'][number]

/** The file's name of each setting. */
const KEYS = {
  name: 'name',
  accessTokenTtlSeconds: 'access_token_ttl',
  signingAlg: 'signing_alg',
  dpopRequired: 'dpop_required',
} as const satisfies Record<keyof ResourceServerSettings, keyof ResourceServer>

export async function applyResourceServers(
  run: ApplyRun,
  entries: readonly Declared<ResourceServer>[],
): Promise<void> {
  for (const entry of withoutDuplicates(run, 'resource server', entries, ({ audience }) => audience)) {
    const id = await applyResourceServer(run, entry)
    if (id !== null) await applyScopes(run, id, entry.value)
  }
}

async function applyResourceServer(
  run: ApplyRun,
  { value, at }: Declared<ResourceServer>,
): Promise<string | null> {
  const { audience, name, signing_alg: signingAlg, dpop_required: dpopRequired } = value
  const accessTokenTtlSeconds = toSeconds(value.access_token_ttl)
  const settings = { name, accessTokenTtlSeconds, signingAlg, dpopRequired }
  const existing = await findResourceServer(run.transaction, audience)
  if (!existing) {
    const id = uuidV7(run.now)
    await insertResourceServer(run.transaction, { id, audience, builtIn: false, ...settings }, run.now)
    run.changes.push(`created resource server ${audience}`)
    return id
  }
  if (existing.builtIn) {
    run.problems.push(`${at('audience')}: ${audience} is built in and cannot be declared`)
    return null
  }
  if (noteUpdate(run, `resource server ${audience}`, differingMembers(existing, settings, KEYS)))
    await updateResourceServer(run.transaction, existing.id, settings)
  return existing.id
}

async function applyScopes(run: ApplyRun, id: string, { audience, scopes }: ResourceServer): Promise<void> {
  const { removed, created, updated } = await replaceScopes(run.transaction, id, scopes)
  if (removed.length > 0) run.changes.push(`removed scopes ${removed.join(' ')} of ${audience}`)
  for (const scope of created) run.changes.push(`created scope ${scope} of ${audience}`)
  for (const scope of updated) run.changes.push(`updated scope ${scope} of ${audience}`)
}

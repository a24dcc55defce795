// The `clients` section. A client secret is compared with its hash, so that applying the same file changes nothing.

import { TOKEN_EXCHANGE_GRANT } from '../../../protocol/urn.ts'
import { hashClientSecret, isCurrentHash, matchesClientSecret } from '../client-secret.ts'
import { type ClientSettings, findClient, insertClient, updateClient } from '../client-store.ts'
import { findResourceServer } from '../resource-server-store.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import type { ClientDeclaration } from './schema.ts'

/** The file's name of each setting. */
const KEYS = {
  name: 'name',
  authMethod: 'token_endpoint_auth_method',
  secretHash: 'client_secret',
  jwks: 'jwks',
  grantTypes: 'grant_types',
  audiences: 'audiences',
} as const satisfies Record<keyof ClientSettings, string>

export async function applyClients(
  run: ApplyRun,
  entries: readonly Declared<ClientDeclaration>[],
): Promise<void> {
  for (const entry of withoutDuplicates(run, 'client', entries, ({ client_id }) => client_id)) {
    await requireAudiences(run, entry)
    await applyClient(run, entry)
  }
}

async function requireAudiences(run: ApplyRun, { value, at }: Declared<ClientDeclaration>): Promise<void> {
  for (const [index, audience] of (value.audiences ?? []).entries()) {
    if (await findResourceServer(run.transaction, audience)) continue
    run.problems.push(`${at('audiences', index)}: there is no resource server ${audience}`)
  }
}

async function applyClient(run: ApplyRun, { value, at }: Declared<ClientDeclaration>): Promise<void> {
  const { client_id: clientId } = value
  const existing = await findClient(run.transaction, clientId)
  if (existing?.builtIn) {
    run.problems.push(`${at('client_id')}: ${clientId} is built in and cannot be declared`)
    return
  }
  const settings = toSettings(run, value, existing?.secretHash)
  if (!existing) {
    await insertClient(run.transaction, { clientId, builtIn: false, ...settings }, run.now)
    run.changes.push(`created client ${clientId}`)
  } else if (noteUpdate(run, `client ${clientId}`, differingMembers(existing, settings, KEYS))) {
    await updateClient(run.transaction, clientId, settings)
  }
}

const toSettings = (
  run: ApplyRun,
  value: ClientDeclaration,
  storedHash: string | null | undefined,
): ClientSettings => ({
  name: value.name ?? value.client_id,
  authMethod: value.token_endpoint_auth_method,
  secretHash: 'client_secret' in value ? chooseSecretHash(run, value.client_secret, storedHash) : null,
  jwks: 'jwks' in value ? value.jwks : null,
  grantTypes: [TOKEN_EXCHANGE_GRANT],
  audiences: value.audiences ?? null,
})

/** The stored hash while it is of the same secret and under the current key, else a new one. */
function chooseSecretHash(run: ApplyRun, secret: string, stored: string | null | undefined): string {
  const keys = run.clientSecretKeys
  const stays = stored && matchesClientSecret(secret, stored, keys) && isCurrentHash(stored, keys)
  return stays ? stored : hashClientSecret(secret, keys)
}

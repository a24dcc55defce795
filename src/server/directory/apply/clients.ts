// The `clients` section. A client secret is compared with its hash, so that applying the same file changes nothing.

import { TOKEN_EXCHANGE_GRANT } from '../../../protocol/urn.ts'
import { hashClientSecret, isCurrentHash, matchesClientSecret } from '../client-secret.ts'
import { findClient } from '../client-store.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import type { ClientDeclaration } from './schema.ts'

export async function applyClients(
  run: ApplyRun,
  entries: readonly Declared<ClientDeclaration>[],
): Promise<void> {
  for (const entry of withoutDuplicates(run, 'client', entries, ({ client_id }) => client_id)) {
    await requireAudiences(run, entry)
    await saveClient(run, entry)
  }
}

async function requireAudiences(run: ApplyRun, { value, at }: Declared<ClientDeclaration>): Promise<void> {
  for (const [index, audience] of (value.audiences ?? []).entries()) {
    const known = await run.transaction
      .selectFrom('resource_servers')
      .select('id')
      .where('audience', '=', audience)
      .executeTakeFirst()
    if (!known) run.problems.push(`${at('audiences', index)}: there is no resource server ${audience}`)
  }
}

async function saveClient(run: ApplyRun, { value, at }: Declared<ClientDeclaration>): Promise<void> {
  const existing = await run.transaction
    .selectFrom('clients')
    .select(['built_in'])
    .where('client_id', '=', value.client_id)
    .executeTakeFirst()
  if (existing?.built_in) {
    run.problems.push(`${at('client_id')}: ${value.client_id} is built in and cannot be declared`)
    return
  }
  const before = existing && (await findClient(run.transaction, value.client_id))
  const secretHash =
    'client_secret' in value ? chooseSecretHash(run, value.client_secret, before?.secretHash) : null
  const after = {
    name: value.name ?? value.client_id,
    authMethod: value.token_endpoint_auth_method,
    secretHash,
    jwks: 'jwks' in value ? value.jwks : null,
    audiences: value.audiences ?? null,
  }
  const row = {
    name: after.name,
    token_endpoint_auth_method: after.authMethod,
    secret_hash: secretHash,
    jwks: after.jwks && JSON.stringify(after.jwks),
    grant_types: [TOKEN_EXCHANGE_GRANT],
    audiences: after.audiences,
  }
  if (!before) {
    await run.transaction
      .insertInto('clients')
      .values({ client_id: value.client_id, ...row, created_at: run.now })
      .execute()
    run.changes.push(`created client ${value.client_id}`)
    return
  }
  const differing = differingMembers(before, after)
  if (noteUpdate(run, `client ${value.client_id}`, differing)) {
    await run.transaction.updateTable('clients').set(row).where('client_id', '=', value.client_id).execute()
  }
}

/** The stored hash while it is of the same secret and under the current key, else a new one. */
function chooseSecretHash(run: ApplyRun, secret: string, stored: string | null | undefined): string {
  const keys = run.clientSecretKeys
  const stays = stored && matchesClientSecret(secret, stored, keys) && isCurrentHash(stored, keys)
  return stays ? stored : hashClientSecret(secret, keys)
}

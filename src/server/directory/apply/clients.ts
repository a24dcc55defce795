// The `clients` section. A client secret is compared with its hash, so that applying the same file changes nothing.

import { TOKEN_EXCHANGE_GRANT } from '../../../protocol/urn.ts'
import { hashClientSecret, isCurrentHash, matchesClientSecret } from '../client-secret.ts'
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
  const { client_id } = value
  // Members are named as in the file, which is how a change is told.
  const before = await run.transaction
    .selectFrom('clients')
    .select(['name', 'token_endpoint_auth_method', 'secret_hash as client_secret', 'jwks', 'audiences'])
    .select('built_in')
    .where('client_id', '=', client_id)
    .executeTakeFirst()
  if (before?.built_in) {
    run.problems.push(`${at('client_id')}: ${client_id} is built in and cannot be declared`)
    return
  }
  const after = {
    name: value.name ?? client_id,
    token_endpoint_auth_method: value.token_endpoint_auth_method,
    client_secret:
      'client_secret' in value ? chooseSecretHash(run, value.client_secret, before?.client_secret) : null,
    jwks: 'jwks' in value ? value.jwks : null,
    audiences: value.audiences ?? null,
  }
  const { client_secret: secret_hash, jwks, ...columns } = after
  const row = {
    ...columns,
    secret_hash,
    jwks: jwks && JSON.stringify(jwks),
    grant_types: [TOKEN_EXCHANGE_GRANT],
  }
  if (!before) {
    await run.transaction
      .insertInto('clients')
      .values({ client_id, ...row, created_at: run.now })
      .execute()
    run.changes.push(`created client ${client_id}`)
  } else if (noteUpdate(run, `client ${client_id}`, differingMembers(before, after))) {
    await run.transaction.updateTable('clients').set(row).where('client_id', '=', client_id).execute()
  }
}

/** The stored hash while it is of the same secret and under the current key, else a new one. */
function chooseSecretHash(run: ApplyRun, secret: string, stored: string | null | undefined): string {
  const keys = run.clientSecretKeys
  const stays = stored && matchesClientSecret(secret, stored, keys) && isCurrentHash(stored, keys)
  return stays ? stored : hashClientSecret(secret, keys)
}

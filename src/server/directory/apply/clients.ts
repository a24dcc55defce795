// The `clients` section. A client secret is compared with its hash, so that applying the same file changes nothing.

import { hashClientSecret, isCurrentHash, matchesClientSecret } from '../client-secret.ts'
import { replaceSecretHash } from '../client-secret-change.ts'
import {
  type ClientSettings,
  findClient,
  insertClient,
  NO_CLIENT_SECRETS_OR_KEYS,
  type StoredClient,
  updateClient,
} from '../client-store.ts'
import { findResourceServer } from '../resource-server-store.ts'
import { type ApplyRun, type Declared, differingMembers, noteUpdate, withoutDuplicates } from './run.ts'
import { type ClientDeclaration, toSeconds } from './schema.ts'

/** The file's name of each setting. */
const KEYS = {
  name: 'name',
  authMethod: 'token_endpoint_auth_method',
  secretHash: 'client_secret',
  previousSecretHash: 'client_secret',
  previousSecretUntil: 'client_secret',
  jwks: 'jwks',
  jwksUri: 'jwks_uri',
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
  const settings = toSettings(run, value, existing)
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
  existing: StoredClient | undefined,
): ClientSettings => ({
  name: value.name ?? value.client_id,
  authMethod: value.token_endpoint_auth_method,
  ...NO_CLIENT_SECRETS_OR_KEYS,
  ...('client_secret' in value && chooseHashes(run, value, existing)),
  ...(value.token_endpoint_auth_method === 'private_key_jwt' && {
    jwks: value.jwks ?? null,
    jwksUri: value.jwks_uri ?? null,
  }),
  grantTypes: value.grant_types,
  audiences: value.audiences ?? null,
})

type SecretDeclaration = Extract<ClientDeclaration, { readonly client_secret: string }>

/**
 * Of the secret declared. While it is the one that is stored, that stays and so does the one before it; a hash under an
 * older key is made anew. Another secret takes its place at once, or with the overlap declared.
 */
function chooseHashes(run: ApplyRun, value: SecretDeclaration, existing: StoredClient | undefined) {
  const { client_secret: secret, client_secret_overlap: overlap = 0 } = value
  const { clientSecretKeys: keys, now } = run
  const { secretHash: stored = null, previousSecretHash = null, previousSecretUntil = null } = existing ?? {}
  const isSame = stored !== null && matchesClientSecret(secret, stored, keys)
  const secretHash = isSame && isCurrentHash(stored, keys) ? stored : hashClientSecret(secret, keys)
  return isSame || stored === null
    ? { secretHash, previousSecretHash, previousSecretUntil }
    : replaceSecretHash(stored, secretHash, toSeconds(overlap), now)
}

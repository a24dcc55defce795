// A client as JSON. Its secret stands in one answer alone, its hash in none.

import { z } from 'zod'
import { overlapEndOf } from '../directory/client-secret-change.ts'
import type { StoredClient } from '../directory/client-store.ts'
import { clientId } from '../directory/schema.ts'
import { instant } from './schema.ts'
import { sortMembers } from './sort-members.ts'

export const AUTH_METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const

const members = {
  client_id: clientId,
  name: z.string(),
  token_endpoint_auth_method: z.enum(AUTH_METHODS),
  grant_types: z.array(z.string()),
  audiences: z
    .array(z.string())
    .nullable()
    .describe('What the client may ask tokens for; null: every resource server'),
  jwks: z
    .strictObject({ keys: z.array(z.record(z.string(), z.unknown())) })
    .nullable()
    .describe('Of `private_key_jwt`, unless its keys are at `jwks_uri`'),
  jwks_uri: z.string().nullable().describe('Where a client of `private_key_jwt` publishes its keys'),
  previous_secret_until: instant
    .nullable()
    .describe('Until when the secret before the current one works as well; null: it does not'),
  built_in: z.boolean(),
  created_at: instant,
}

export const clientView = z.strictObject(members).meta({ id: 'Client' })

/** The one answer that shows a secret. */
export const newClientView = z
  .strictObject({
    ...members,
    client_secret: z.string().optional().describe('Of `client_secret_…`; shown once, kept nowhere'),
  })
  .meta({ id: 'NewClient' })

export type ClientView = z.output<typeof clientView>

export const viewClient = (client: StoredClient, now: Date): ClientView => ({
  client_id: client.clientId,
  name: client.name,
  token_endpoint_auth_method: client.authMethod,
  grant_types: [...client.grantTypes],
  audiences: client.audiences && [...client.audiences],
  jwks: client.jwks && { keys: client.jwks.keys.map(sortMembers) },
  jwks_uri: client.jwksUri,
  previous_secret_until: overlapEndOf(client, now)?.toISOString() ?? null,
  built_in: client.builtIn,
  created_at: client.createdAt.toISOString(),
})

/** What an update may change; the creation, because a client made anew under the same id is another one. */
export const versionOfClient = (view: ClientView) => {
  const { name, audiences, grant_types, jwks, jwks_uri, created_at } = view
  return { name, audiences, grant_types, jwks, jwks_uri, created_at }
}

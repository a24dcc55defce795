// The rows of `clients`, as the provider reads them.

import type { Queryable } from '../db/database.ts'

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

export interface Client {
  readonly clientId: string
  readonly name: string
  readonly authMethod: ClientAuthMethod
  readonly secretHash: string | null
  readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | null
  readonly grantTypes: readonly string[]
  /** Null: every resource server. */
  readonly audiences: readonly string[] | null
}

/** The client with this id. */
export async function findClient(db: Queryable, clientId: string): Promise<Client | undefined> {
  return db
    .selectFrom('clients')
    .select([
      'client_id as clientId',
      'name',
      'token_endpoint_auth_method as authMethod',
      'secret_hash as secretHash',
      'jwks',
      'grant_types as grantTypes',
      'audiences',
    ])
    .where('client_id', '=', clientId)
    .executeTakeFirst()
}

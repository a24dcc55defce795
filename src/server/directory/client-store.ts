// The rows of `clients`.

import { type RawBuilder, sql } from 'kysely'
import type { Queryable } from '../db/database.ts'
import type { Part } from '../db/turn-reader.ts'
import { unlessTaken } from '../db/unique.ts'

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'

export interface ClientSettings {
  readonly name: string
  readonly authMethod: ClientAuthMethod
  readonly secretHash: string | null
  /** Of the secret before, which works as well until `previousSecretUntil`. */
  readonly previousSecretHash: string | null
  readonly previousSecretUntil: Date | null
  readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | null
  /** Where the client publishes its keys, in place of `jwks`. */
  readonly jwksUri: string | null
  readonly grantTypes: readonly string[]
  /** Null: every resource server. */
  readonly audiences: readonly string[] | null
}

/** What a client that neither has a secret nor signs is without. */
export const NO_CLIENT_SECRETS_OR_KEYS = {
  secretHash: null,
  previousSecretHash: null,
  previousSecretUntil: null,
  jwks: null,
  jwksUri: null,
} as const satisfies Partial<ClientSettings>

export interface Client extends ClientSettings {
  readonly clientId: string
  readonly builtIn: boolean
}

export interface StoredClient extends Client {
  readonly createdAt: Date
}

const selectClients = (db: Queryable) =>
  db
    .selectFrom('clients')
    .select([
      'client_id as clientId',
      'built_in as builtIn',
      'name',
      'token_endpoint_auth_method as authMethod',
      'secret_hash as secretHash',
      'previous_secret_hash as previousSecretHash',
      'previous_secret_until as previousSecretUntil',
      'jwks',
      'jwks_uri as jwksUri',
      'grant_types as grantTypes',
      'audiences',
      'created_at as createdAt',
    ])

/** The client with this id. */
export async function findClient(db: Queryable, clientId: string): Promise<StoredClient | undefined> {
  return selectClients(db).where('client_id', '=', clientId).executeTakeFirst()
}

const selectClientsAsJson = (ids: readonly string[]): RawBuilder<unknown> => sql`(
  select json_agg(json_build_object(
    'clientId', c.client_id, 'builtIn', c.built_in, 'name', c.name, 'authMethod', c.token_endpoint_auth_method,
    'secretHash', c.secret_hash, 'previousSecretHash', c.previous_secret_hash,
    'previousSecretUntil', c.previous_secret_until, 'jwks', c.jwks, 'jwksUri', c.jwks_uri,
    'grantTypes', c.grant_types, 'audiences', c.audiences))
  from clients c where c.client_id = any(${ids}::text[]))`

/** Clients, as a part of the statement that reads whatever a turn of the event loop asks for. */
export const clientsPart: Part<Client> = {
  select: selectClientsAsJson,
  read: (json) => {
    const clients = (json ?? []) as readonly ClientJson[]
    return new Map(clients.map((client) => [client.clientId, readJson(client)]))
  },
}

/** A client as JSON has it: an instant is text. */
type ClientJson = Omit<Client, 'previousSecretUntil'> & { readonly previousSecretUntil: string | null }

function readJson(client: ClientJson): Client {
  const { previousSecretUntil: until } = client
  return { ...client, previousSecretUntil: until === null ? null : new Date(until) }
}

/** The client with this id, as whoever changed it before left it; others wait until the transaction ends. */
export async function lockClient(
  transaction: Queryable,
  clientId: string,
): Promise<StoredClient | undefined> {
  return selectClients(transaction).where('client_id', '=', clientId).forNoKeyUpdate().executeTakeFirst()
}

/** Clients by id, after the one with id `after`. */
export async function listClients(
  db: Queryable,
  after: string | null,
  limit: number,
): Promise<StoredClient[]> {
  return selectClients(db)
    .$if(after !== null, (query) => query.where('client_id', '>', after ?? ''))
    .orderBy('client_id')
    .limit(limit)
    .execute()
}

export async function insertClient(db: Queryable, client: Client, now: Date): Promise<void> {
  await db.insertInto('clients').values(toNewRow(client, now)).execute()
}

/** Makes a client; false when the id is taken, which ends the transaction. */
export const addClient = (transaction: Queryable, client: Client, now: Date): Promise<boolean> =>
  unlessTaken(insertClient(transaction, client, now))

export async function updateClient(db: Queryable, clientId: string, settings: ClientSettings): Promise<void> {
  await db.updateTable('clients').set(toRow(settings)).where('client_id', '=', clientId).execute()
}

export async function deleteClient(db: Queryable, clientId: string): Promise<void> {
  await db.deleteFrom('clients').where('client_id', '=', clientId).execute()
}

/** Makes a client, or brings the one with its id to the same settings. */
export async function saveClient(db: Queryable, client: Client, now: Date): Promise<void> {
  await db
    .insertInto('clients')
    .values(toNewRow(client, now))
    .onConflict((conflict) => conflict.column('client_id').doUpdateSet(toRow(client)))
    .execute()
}

const toNewRow = (client: Client, now: Date) => ({
  client_id: client.clientId,
  built_in: client.builtIn,
  ...toRow(client),
  created_at: now,
})

const toRow = (settings: ClientSettings) => ({
  name: settings.name,
  token_endpoint_auth_method: settings.authMethod,
  secret_hash: settings.secretHash,
  previous_secret_hash: settings.previousSecretHash,
  previous_secret_until: settings.previousSecretUntil,
  jwks: settings.jwks && JSON.stringify(settings.jwks),
  jwks_uri: settings.jwksUri,
  grant_types: [...settings.grantTypes],
  audiences: settings.audiences && [...settings.audiences],
})

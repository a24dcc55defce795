// The database and role the server works with: the rights a managed Postgres would give, no superuser's.

import type { Client } from 'pg'

const NAME = 'patmint'

/** Makes role and database unless they are there. Needs a superuser's connection. */
export async function ensureApplicationDatabase(client: Client): Promise<void> {
  const role = await client.query('select 1 from pg_roles where rolname = $1', [NAME])
  if (role.rowCount === 0) await client.query(await composeRole(client))
  const database = await client.query('select 1 from pg_database where datname = $1', [NAME])
  if (database.rowCount === 0) await client.query(`create database ${NAME} owner ${NAME}`)
}

/** The superuser's password, passed on as its verifier: the statement never holds the password itself. */
async function composeRole(client: Client): Promise<string> {
  const { rows } = await client.query<{ verifier: string }>(
    'select rolpassword as verifier from pg_authid where rolname = current_user',
  )
  const verifier = client.escapeLiteral(rows[0]?.verifier ?? '')
  return `create role ${NAME} login createdb password ${verifier}`
}

/** Connection string of the application's database. */
export const composeUrl = (port: number, password: string): string =>
  `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}`

// Brings a database to the schema of `migrations/`. Kysely holds an advisory lock and one transaction over all of
// it, so instances that start together wait for each other and a failing file leaves nothing behind.

import { readdir, readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration'
import { type Database, MIGRATION_TIMEOUTS, openDatabase } from './database.ts'

const MIGRATIONS = new URL('../../../migrations/', import.meta.url)
const OLDEST_POSTGRES = 150_000

class SqlFiles implements MigrationProvider {
  async getMigrations(): Promise<Record<string, Migration>> {
    const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort()
    const entries = names.map(async (name): Promise<[string, Migration]> => {
      const text = await readFile(new URL(name, MIGRATIONS), 'utf8')
      return [name.replace(/\.sql$/, ''), { up: async (db) => void (await sql.raw(text).execute(db)) }]
    })
    return Object.fromEntries(await Promise.all(entries))
  }
}

async function requirePostgresVersion(db: Database): Promise<void> {
  const { rows } = await sql<{ version: number }>`
    select current_setting('server_version_num')::int as version`.execute(db)
  const version = rows[0]?.version ?? 0
  if (version < OLDEST_POSTGRES)
    throw new Error(`Postgres 15 or newer is needed, this is ${Math.floor(version / 10_000)}`)
}

/** Applies what is missing; returns the names of what it applied. Throws with the failing file's name. */
export async function migrate(url: string): Promise<string[]> {
  // A connection of its own: a long migration must not meet the time-outs of the request path.
  const db = openDatabase({ url, maxConnections: 1, timeouts: MIGRATION_TIMEOUTS })
  try {
    await requirePostgresVersion(db)
    const { error, results = [] } = await new Migrator({ db, provider: new SqlFiles() }).migrateToLatest()
    if (error === undefined) return results.map(({ migrationName }) => migrationName)
    const failed = results.find(({ status }) => status === 'Error')?.migrationName
    throw new Error(failed ? `migration ${failed} failed` : 'migrations could not run', { cause: error })
  } finally {
    await db.destroy()
  }
}

// The Postgres that is measured: one of the benchmark's own, with durable settings, or the one that is named. Every
// server gets a new database in it.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../../src/server/db/embedded/embedded-postgres.ts'

export interface Postgres {
  /** Its version and the settings that decide whether a commit is durable, as it states them. */
  readonly settings: Readonly<Record<string, string>>
  /** Connection string of a new, empty database. */
  createDatabase(name: string): Promise<string>
  /** Drops the databases; stops the cluster when it is the benchmark's own. */
  stop(): Promise<void>
}

const SETTINGS = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers']

/** Starts it, or connects to the one at `url`. Nothing is set: what is measured is what Postgres does by itself. */
export async function openPostgres(dir: string, url: string | undefined): Promise<Postgres> {
  const embedded =
    url === undefined
      ? await startEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: () => {} })
      : { url, stop: async () => {} }
  const client = new pg.Client({ connectionString: embedded.url, application_name: 'patmint-bench' })
  await client.connect()
  const prefix = `patmint_bench_${randomBytes(4).toString('hex')}_`
  const created: string[] = []
  return {
    settings: await readSettings(client),
    async createDatabase(name) {
      await client.query(`create database ${prefix}${name}`)
      created.push(prefix + name)
      const database = new URL(embedded.url)
      database.pathname = `/${prefix}${name}`
      return database.href
    },
    async stop() {
      for (const name of created) await client.query(`drop database ${name} with (force)`)
      await client.end()
      await embedded.stop()
    },
  }
}

async function readSettings(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    'select name, current_setting(name) as setting from pg_settings where name = any($1) order by name',
    [SETTINGS],
  )
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}

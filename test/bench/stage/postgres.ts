// The Postgres that is measured: one of the benchmark's own, with the durable settings Postgres has by itself, or the
// one that is named. Every server gets a new database in it.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { SUPERUSER } from '../../../src/server/db/embedded/cluster.ts'
import { startEmbeddedPostgres } from '../../../src/server/db/embedded/embedded-postgres.ts'

export interface Postgres {
  /** Its version and what decides how fast and how durable a commit is, as it states them. */
  readonly settings: Readonly<Record<string, string>>
  /** Connection string of a new, empty database. */
  createDatabase(name: string): Promise<string>
  /** Writes out what is still in memory, so that no later measurement pays for it. */
  checkpoint(): Promise<void>
  /** Drops the databases; ends the cluster when it is the benchmark's own. */
  stop(): Promise<void>
}

const SETTINGS = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers']

/** Starts it, or connects to the one at `url`. */
export async function openPostgres(dir: string, url: string | undefined): Promise<Postgres> {
  const cluster =
    url === undefined
      ? await startEmbeddedPostgres({ dataDir: join(dir, 'postgres'), log: () => {} })
      : { url, stop: async () => {} }
  // Of the benchmark's own cluster it is the superuser, with the same password.
  const admin = url === undefined ? replace(cluster.url, { username: SUPERUSER }) : url
  const client = new pg.Client({ connectionString: admin, application_name: 'patmint-bench' })
  await client.connect()
  const owner = client.escapeIdentifier(decodeURIComponent(new URL(cluster.url).username))
  const prefix = `patmint_bench_${randomBytes(4).toString('hex')}_`
  const created: string[] = []
  return {
    settings: await readSettings(client),
    async createDatabase(name) {
      await client.query(`create database ${prefix}${name} owner ${owner}`)
      created.push(prefix + name)
      return replace(cluster.url, { pathname: `/${prefix}${name}` })
    },
    async checkpoint() {
      await client.query('checkpoint')
    },
    async stop() {
      for (const name of created) await client.query(`drop database ${name} with (force)`)
      await client.end()
      await cluster.stop()
    },
  }
}

const replace = (url: string, part: Partial<Pick<URL, 'username' | 'pathname'>>): string =>
  Object.assign(new URL(url), part).href

async function readSettings(client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; setting: string }>(
    'select name, current_setting(name) as setting from pg_settings where name = any($1) order by name',
    [SETTINGS],
  )
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}

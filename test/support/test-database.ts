// A database of its own for whoever asks. They stay until the cluster goes, so that the secrecy project can dump them.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

/** Runs one task on a fresh connection. */
export async function withClient<T>(url: string, task: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await task(client)
  } finally {
    await client.end()
  }
}

/** Connection string of a new, empty database. */
export async function createTestDatabase(): Promise<string> {
  const name = inject('databasePrefix') + randomBytes(6).toString('hex')
  await withClient(inject('clusterUrl'), (client) => client.query(`create database ${name}`))
  return databaseUrl(name)
}

/** Connection string of a database of the cluster. */
export function databaseUrl(name: string): string {
  const url = new URL(inject('clusterUrl'))
  url.pathname = `/${name}`
  return url.href
}

// The Postgres all tests share: TEST_DATABASE_URL, else a container where Docker answers, else the embedded one.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedPostgres } from '../../src/server/db/embedded/embedded-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A database whose user may create others. */
    clusterUrl: string
    /** Names of databases tests make start with this. */
    databasePrefix: string
    /** Where tests leave the secrets they saw and the logs of their servers, for the secrecy project. */
    evidenceDir: string
  }
}

interface Cluster {
  readonly name: string
  readonly url: string
  /** Whether it goes on when the tests are through. */
  readonly isLasting: boolean
  stop(): Promise<unknown>
}

const MAX_CONNECTIONS = 300

async function startCluster(dir: string): Promise<Cluster> {
  const { TEST_DATABASE_URL: url } = process.env
  if (url) return { name: 'TEST_DATABASE_URL', url, isLasting: true, stop: async () => undefined }
  return (await startContainer()) ?? (await startEmbedded(dir))
}

async function startContainer(): Promise<Cluster | undefined> {
  if (!process.env['DOCKER_HOST'] && !existsSync('/var/run/docker.sock')) return undefined
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  try {
    const command = ['postgres', '-c', `max_connections=${MAX_CONNECTIONS}`]
    const container = await new PostgreSqlContainer('postgres:18').withCommand(command).start()
    return {
      name: 'a postgres:18 container',
      url: container.getConnectionUri(),
      isLasting: false,
      stop: () => container.stop(),
    }
  } catch (error) {
    process.stderr.write(`Docker does not answer, using the embedded Postgres: ${(error as Error).message}\n`)
    return undefined
  }
}

async function startEmbedded(dir: string): Promise<Cluster> {
  const flags = [`max_connections=${MAX_CONNECTIONS}`, 'fsync=off', 'full_page_writes=off']
  const embedded = await startEmbeddedPostgres({ dataDir: join(dir, 'cluster'), flags, log: () => {} })
  return { name: 'the embedded Postgres', url: embedded.url, isLasting: false, stop: () => embedded.stop() }
}

/** Leaves a cluster as it was. */
async function dropDatabases(url: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    'select datname as name from pg_database where starts_with(datname, $1)',
    [prefix],
  )
  for (const { name } of rows) await client.query(`drop database ${name} with (force)`)
  await client.end()
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'patmint-test-'))
  const evidenceDir = join(dir, 'evidence')
  mkdirSync(evidenceDir)
  const cluster = await startCluster(dir)
  process.stdout.write(`tests run on ${cluster.name}\n`)
  const databasePrefix = `patmint_test_${randomBytes(4).toString('hex')}_`
  project.provide('clusterUrl', cluster.url)
  project.provide('databasePrefix', databasePrefix)
  project.provide('evidenceDir', evidenceDir)
  return async () => {
    if (cluster.isLasting) await dropDatabases(cluster.url, databasePrefix)
    await cluster.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

// A real Postgres in the data folder, for a server that was given no database. It outlives a killed server, whose
// next start takes it over, and exactly one server owns it at a time. This file is the order of the steps.

import { composeUrl, ensureApplicationDatabase } from './application-database.ts'
import { locateBinaries } from './binaries.ts'
import { type Claim, claimCluster, type Installation } from './claim.ts'
import { createCluster, hasCluster } from './cluster.ts'
import { ensurePassword, openDataFolder, readPassword, sweepLeftovers } from './data-folder.ts'
import { createLauncher } from './launcher.ts'
import { Ownership } from './ownership.ts'
import { stopPostmaster } from './postmaster.ts'
import { isPostmaster, sightPostmaster } from './postmaster-file.ts'

export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './embedded-postgres-error.ts'

export interface EmbeddedPostgres {
  /** Connection string of the database `patmint`, password included. */
  readonly url: string
  /** Shuts the database down and waits for its end; safe to call again. Fails with `stop_failed`. */
  stop(): Promise<void>
}

export interface EmbeddedPostgresOptions {
  /** The data folder; made when missing. */
  readonly dataDir: string
  readonly log: (line: string) => void
  /** Postgres settings, `name=value`. They do not reach a database that is taken over while it runs. */
  readonly flags?: readonly string[]
}

/** Starts or takes over the database of a data folder. Fails with an `EmbeddedPostgresError`. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const installation = await prepareInstallation(options)
  const password = await prepareCluster(installation)
  const claim = await claimCluster(installation, password)
  const handle = createHandle(installation, claim, password)
  try {
    await ensureApplicationDatabase(claim.client)
  } catch (error) {
    await handle.stop()
    throw error
  }
  await sweepLeftovers(installation.folder).catch((error) => {
    options.log(`embedded Postgres: could not remove what an earlier start left (${error})`)
  })
  options.log(`embedded Postgres: ready on 127.0.0.1:${claim.port} (process ${claim.pid})`)
  return handle
}

/**
 * Connection string of the database of a data folder while somebody's server runs it; `null` when it does not run.
 * Owns nothing and stops nothing.
 */
export async function findRunningDatabase(dataDir: string): Promise<string | null> {
  const folder = await openDataFolder(dataDir)
  const sighting = await sightPostmaster(folder.cluster)
  return sighting.state === 'running' ? composeUrl(sighting.port, await readPassword(folder)) : null
}

async function prepareInstallation({
  dataDir,
  log,
  flags = [],
}: EmbeddedPostgresOptions): Promise<Installation> {
  const binaries = await locateBinaries()
  const folder = await openDataFolder(dataDir)
  const launcher = await createLauncher(binaries.postgres, folder.cluster)
  return { folder, binaries, launcher, flags, log }
}

/** Makes sure there is a cluster; answers its superuser's password. */
async function prepareCluster({ folder, binaries, launcher, log }: Installation): Promise<string> {
  if (await hasCluster(folder)) return readPassword(folder)
  log(`embedded Postgres: making a new database in ${folder.cluster}`)
  await ensurePassword(folder)
  const password = await readPassword(folder)
  await createCluster(folder, password, binaries.initdb, launcher)
  return password
}

function createHandle({ folder, log }: Installation, { pid, port, client }: Claim, password: string) {
  const isRunning = () => isPostmaster(pid, folder.cluster)
  const ownership = new Ownership({ pid, port, client }, { password, isRunning, log })
  const shutDown = async () => {
    try {
      if (await ownership.settle()) await stopPostmaster(pid, folder.cluster)
    } finally {
      await ownership.release()
    }
  }
  let stopping: Promise<void> | undefined
  return {
    url: composeUrl(port, password),
    stop() {
      stopping ??= shutDown()
      return stopping
    },
  }
}

// Creates the database cluster. A cluster is whole or not there: initdb works in a scratch folder that is then
// renamed into place, so a start may be killed at any moment and several may race.

import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DataFolder } from './data-folder.ts'
import { nameScratch, syncFolder } from './data-folder.ts'
import { EmbeddedPostgresError, readErrorCode } from './embedded-postgres-error.ts'
import type { Launcher } from './launcher.ts'

export const SUPERUSER = 'postgres'

const INITDB_ARGS = [
  `--username=${SUPERUSER}`,
  '--auth=scram-sha-256',
  // Relative to the cluster: the account that runs initdb may not see the folders above.
  '--pwfile=../password',
  '--encoding=UTF8',
  '--no-locale',
  '--locale-provider=builtin',
  '--builtin-locale=C.UTF-8',
]

/** Whether there is a whole cluster. Fails with `cluster_unusable` when this user may not look. */
export async function hasCluster(folder: DataFolder): Promise<boolean> {
  try {
    await access(join(folder.cluster, 'PG_VERSION'))
    return true
  } catch (cause) {
    if (readErrorCode(cause) === 'ENOENT') return false
    throw new EmbeddedPostgresError(
      'cluster_unusable',
      `${folder.cluster} cannot be read: start Patmint as the user that made it`,
      { cause },
    )
  }
}

/** Makes the cluster; fine when another start was faster. Fails with `cluster_unusable`. */
export async function createCluster(
  folder: DataFolder,
  password: string,
  initdb: string,
  launcher: Launcher,
): Promise<void> {
  const scratch = nameScratch(folder.cluster)
  try {
    await runInitdb(scratch, password, initdb, launcher)
    await rename(join(scratch, 'cluster'), folder.cluster)
    await syncFolder(folder.path)
  } catch (cause) {
    // The winner of a simultaneous start takes the name, and sweeps our scratch away.
    if (await hasCluster(folder)) return
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EmbeddedPostgresError('cluster_unusable', `${folder.cluster} cannot be made: ${reason}`, {
      cause,
    })
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 10 })
  }
}

async function runInitdb(
  scratch: string,
  password: string,
  initdb: string,
  launcher: Launcher,
): Promise<void> {
  const cluster = join(scratch, 'cluster')
  const passwordFile = join(scratch, 'password')
  await mkdir(scratch, { mode: 0o700 })
  await mkdir(cluster, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' })
  for (const path of [passwordFile, cluster, scratch]) await launcher.handOver(path)
  await launcher.run(initdb, INITDB_ARGS, cluster)
}

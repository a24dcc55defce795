// Which files the embedded Postgres has in the data folder, and the password of its superuser among them.
// Knows nothing of a running database.

import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { EmbeddedPostgresError, readErrorCode } from './embedded-postgres-error.ts'

export interface DataFolder {
  readonly path: string
  readonly cluster: string
  readonly passwordFile: string
  readonly logFile: string
}

const LEFTOVER = /^postgres(-password)?\.new-[0-9a-f]{16}$/
const PASSWORD_BYTES = 32

/** Makes the folder, private to its owner, unless it is there. */
export async function openDataFolder(dataDir: string): Promise<DataFolder> {
  const path = resolve(dataDir)
  await mkdir(path, { recursive: true, mode: 0o700 })
  return {
    path,
    cluster: join(path, 'postgres'),
    passwordFile: join(path, 'postgres-password'),
    logFile: join(path, 'postgres.log'),
  }
}

/** A name beside `path` that nobody else uses; what a crash leaves there is swept by `sweepLeftovers`. */
export const nameScratch = (path: string): string => `${path}.new-${randomBytes(8).toString('hex')}`

/** Removes what starts that were cut short left. For the cluster's owner alone: other starts lose theirs. */
export async function sweepLeftovers(folder: DataFolder): Promise<void> {
  const leftovers = (await readdir(folder.path)).filter((name) => LEFTOVER.test(name))
  // Retried, because an initdb whose server was killed may still be writing.
  const remove = (name: string) =>
    rm(join(folder.path, name), { recursive: true, force: true, maxRetries: 10 })
  await Promise.all(leftovers.map(remove))
}

/** Reads the superuser's password. Fails with `cluster_unusable` when it is gone. */
export async function readPassword(folder: DataFolder): Promise<string> {
  try {
    return (await readFile(folder.passwordFile, 'utf8')).trim()
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'cluster_unusable',
      `${folder.passwordFile} cannot be read, and ${folder.cluster} cannot be opened without it`,
      { cause },
    )
  }
}

/** Writes a new password unless there is one; of several servers starting at once, exactly one writes it. */
export async function ensurePassword(folder: DataFolder): Promise<void> {
  const scratch = nameScratch(folder.passwordFile)
  try {
    await writeDurably(scratch, randomBytes(PASSWORD_BYTES).toString('base64url'))
    await link(scratch, folder.passwordFile)
  } catch (error) {
    // ENOENT: the winner of a simultaneous start has swept our scratch, so there is a password.
    if (!['EEXIST', 'ENOENT'].includes(readErrorCode(error) ?? '')) throw error
  } finally {
    await rm(scratch, { force: true })
  }
}

async function writeDurably(path: string, content: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(content)
  await file.sync()
}

/** Makes names created in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}

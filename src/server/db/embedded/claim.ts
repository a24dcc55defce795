// Makes this server the owner of a running cluster: takes over the postmaster that is there, or starts one.
// Never stops a postmaster, not even one it started: whoever holds the lock owns it, perhaps another server.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Binaries } from './binaries.ts'
import type { DataFolder } from './data-folder.ts'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import type { Launcher } from './launcher.ts'
import { takeOwnerLock } from './owner-lock.ts'
import { readLogTail, type StartedPostmaster, startPostmaster } from './postmaster.ts'
import { discardStaleFile, sightPostmaster } from './postmaster-file.ts'

export interface Installation {
  readonly folder: DataFolder
  readonly binaries: Binaries
  readonly launcher: Launcher
  readonly flags: readonly string[]
  readonly log: (line: string) => void
}

export interface Claim {
  readonly pid: number
  readonly port: number
  /** Holds the owner lock. */
  readonly client: Client
}

/** A killed owner's connection ends within milliseconds; a living owner's not at all. */
const LOCK_WAIT_MS = 5_000
/** Recovery after a crash replays what was written since the last checkpoint. */
const READY_MS = 60_000
/** A port may be taken between choosing and using it; a crashed postmaster's children need a moment to end. */
const STARTS = 8
const POLL_MS = 25

/** Fails with `data_dir_in_use`, `cluster_unusable` or `start_failed`. */
export async function claimCluster(installation: Installation, password: string): Promise<Claim> {
  const { folder } = installation
  const ensureStarted = createStarter(installation)
  const deadline = performance.now() + READY_MS
  let lastCause: unknown
  while (performance.now() < deadline) {
    const sighting = await sightPostmaster(folder.cluster)
    if (sighting.state === 'stale') await discardStaleFile(folder.cluster, sighting.content)
    if (sighting.state !== 'running') {
      await ensureStarted()
    } else {
      const outcome = await takeOwnerLock({ port: sighting.port, password }, LOCK_WAIT_MS)
      if (outcome.state === 'held') return { pid: sighting.pid, port: sighting.port, client: outcome.client }
      if (outcome.state === 'taken') throw describeInUse(folder)
      if (outcome.state === 'refused') throw describeRefused(folder, sighting.pid, outcome.cause)
      lastCause = outcome.cause
    }
    await sleep(POLL_MS)
  }
  throw await describeFailedStart(
    folder,
    `is not ready after ${READY_MS / 1_000} s, start again later`,
    lastCause,
  )
}

/** Starts the postmaster when none of its starts is under way; gives up after several that ended early. */
function createStarter({ folder, binaries, launcher, flags, log }: Installation): () => Promise<void> {
  let starts = 0
  let latest: StartedPostmaster | undefined
  return async () => {
    if (latest && !latest.hasExited()) return
    if (starts === STARTS) throw await describeFailedStart(folder, 'does not start')
    await sleep(starts * 100)
    if ((await sightPostmaster(folder.cluster)).state === 'running') return
    log(`embedded Postgres: starting, its messages go to ${folder.logFile}`)
    latest = await startPostmaster(folder, binaries.postgres, launcher, flags)
    starts += 1
  }
}

const describeInUse = (folder: DataFolder) =>
  new EmbeddedPostgresError(
    'data_dir_in_use',
    `Another Patmint server is using ${folder.path}: stop it, or give this one a folder of its own with PATMINT_DATA_DIR`,
  )

const describeRefused = (folder: DataFolder, pid: number, cause: unknown) =>
  new EmbeddedPostgresError(
    'cluster_unusable',
    `Postgres (process ${pid}) in ${folder.cluster} refuses the password in ${folder.passwordFile}`,
    { cause },
  )

async function describeFailedStart(folder: DataFolder, problem: string, cause?: unknown) {
  const tail = await readLogTail(folder)
  return new EmbeddedPostgresError('start_failed', `Postgres in ${folder.cluster} ${problem}:\n${tail}`, {
    cause,
  })
}

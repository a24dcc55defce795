// Starts and stops the postmaster, the Postgres process that is parent of all others. Who may stop it is
// decided elsewhere. Its messages go to a file: a pipe would break when the server is killed and it lives on.

import { constants } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DataFolder } from './data-folder.ts'
import { EmbeddedPostgresError, readErrorCode } from './embedded-postgres-error.ts'
import { findFreePort } from './free-port.ts'
import type { Launcher } from './launcher.ts'
import { isPostmaster } from './postmaster-file.ts'

const HOST = '127.0.0.1'
const SETTINGS = [
  `listen_addresses=${HOST}`,
  'unix_socket_directories=',
  'timezone=UTC',
  'log_timezone=UTC',
  // The server sees its own errors; here they, and statements with what they hold, would pile up on disk.
  'log_min_messages=log',
  'log_min_error_statement=panic',
  'log_checkpoints=off',
]
const POLL_MS = 20
/** Together within the 10 seconds the server has to stop. */
const FAST_SHUTDOWN_MS = 4_000
/** Postgres itself kills children that do not answer an immediate shutdown after 5 seconds. */
const IMMEDIATE_SHUTDOWN_MS = 5_500
const TAIL_LINES = 12

export interface StartedPostmaster {
  hasExited(): boolean
}

/** Starts a postmaster on a port that is free now; the caller watches whether it comes up. */
export async function startPostmaster(
  folder: DataFolder,
  postgres: string,
  launcher: Launcher,
  flags: readonly string[],
): Promise<StartedPostmaster> {
  const args = [...SETTINGS, `port=${await findFreePort()}`, ...flags].flatMap((setting) => ['-c', setting])
  const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = constants
  await using log = await open(folder.logFile, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o600)
  const child = launcher.start(postgres, args, folder.cluster, log.fd)
  let exited = false
  child.once('exit', () => {
    exited = true
  })
  child.once('error', () => {
    exited = true
  })
  child.unref()
  return { hasExited: () => exited }
}

/** The last lines Postgres wrote, for the operator. */
export async function readLogTail(folder: DataFolder): Promise<string> {
  const content = await readFile(folder.logFile, 'utf8').catch(() => '')
  return content.trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
}

/** Shuts the postmaster down, fast, then at once (the next start recovers all data). Fails with `stop_failed`. */
export async function stopPostmaster(pid: number, cluster: string): Promise<void> {
  if (await signalUntilGone(pid, cluster, 'SIGINT', FAST_SHUTDOWN_MS)) return
  if (await signalUntilGone(pid, cluster, 'SIGQUIT', IMMEDIATE_SHUTDOWN_MS)) return
  throw new EmbeddedPostgresError('stop_failed', `Postgres (process ${pid}) in ${cluster} does not stop`)
}

async function signalUntilGone(
  pid: number,
  cluster: string,
  signal: 'SIGINT' | 'SIGQUIT',
  timeoutMs: number,
): Promise<boolean> {
  if (!(await isPostmaster(pid, cluster))) return true
  sendSignal(pid, signal)
  const deadline = performance.now() + timeoutMs
  while (performance.now() < deadline) {
    if (!(await isPostmaster(pid, cluster))) return true
    await sleep(POLL_MS)
  }
  return false
}

function sendSignal(pid: number, signal: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It ended in this very moment, which is what the signal is for.
    if (readErrorCode(error) !== 'ESRCH') throw error
  }
}

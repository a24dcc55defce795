// Reads who runs the cluster from `postmaster.pid`; tells a running postmaster from what a crash left behind.

import { execFile } from 'node:child_process'
import { link, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { platform } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { nameScratch } from './data-folder.ts'
import { readErrorCode } from './embedded-postgres-error.ts'

/** `stale` is what Postgres itself would stumble over; a file naming a dead process it clears away. */
export type Sighting =
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly pid: number; readonly port: number }
  | { readonly state: 'stale'; readonly content: string }

/** The postmaster writes its file at once; a half-written one older than this was cut off by a crash. */
const WRITING_MS = 2_000

const lockFile = (cluster: string): string => join(cluster, 'postmaster.pid')
const run = promisify(execFile)

/** Looks for the postmaster of a cluster. */
export async function sightPostmaster(cluster: string): Promise<Sighting> {
  const content = await readFile(lockFile(cluster), 'utf8').catch(() => undefined)
  if (content === undefined) return { state: 'none' }
  const { pid, port } = parseLockFile(content)
  if (pid === undefined || port === undefined) {
    return (await isBeingWritten(cluster)) ? { state: 'none' } : { state: 'stale', content }
  }
  const status = await identifyProcess(pid, cluster)
  if (status === 'postmaster') return { state: 'running', pid, port }
  return status === 'dead' ? { state: 'none' } : { state: 'stale', content }
}

/** Whether this process still is the cluster's postmaster: a number is reused once its process is gone. */
export const isPostmaster = async (pid: number, cluster: string): Promise<boolean> =>
  (await identifyProcess(pid, cluster)) === 'postmaster'

/** Removes a stale file, and nothing but that one: a postmaster may have replaced it meanwhile. */
export async function discardStaleFile(cluster: string, content: string): Promise<void> {
  const aside = nameScratch(lockFile(cluster))
  await rename(lockFile(cluster), aside).catch(() => {})
  const taken = await readFile(aside, 'utf8').catch(() => content)
  if (taken !== content) await link(aside, lockFile(cluster)).catch(() => {})
  await rm(aside, { force: true })
}

/** Lines 1 and 4 (Postgres' `pidfile.h`). A single-user Postgres writes its number negative. */
function parseLockFile(content: string): { pid: number | undefined; port: number | undefined } {
  const lines = content.split('\n')
  const read = (line = '') => (/^-?[1-9]\d*$/.test(line) ? Math.abs(Number(line)) : undefined)
  return { pid: read(lines[0]), port: read(lines[3]) }
}

async function isBeingWritten(cluster: string): Promise<boolean> {
  const file = await stat(lockFile(cluster)).catch(() => undefined)
  return file === undefined || Date.now() - file.mtimeMs < WRITING_MS
}

async function identifyProcess(pid: number, cluster: string): Promise<'postmaster' | 'unrelated' | 'dead'> {
  const { name, state } = platform() === 'linux' ? await readProc(pid) : await readPs(pid)
  if (!exists(pid)) return 'dead'
  // It lives but is hidden from us. Taking it for a postmaster costs a wait, the other mistake its lock file.
  if (name === '') return 'postmaster'
  // A zombie answers kill(2), so Postgres would take it for a running postmaster.
  if (name !== 'postgres' || state.startsWith('Z')) return 'unrelated'
  return (await worksElsewhere(pid, cluster)) ? 'unrelated' : 'postmaster'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return readErrorCode(error) === 'EPERM'
  }
}

async function readProc(pid: number): Promise<{ name: string; state: string }> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [, name = '', state = ''] = /^\d+ \((.*)\) (\S)/s.exec(line) ?? []
  return { name, state }
}

async function readPs(pid: number): Promise<{ name: string; state: string }> {
  const shown = await run('ps', ['-o', 'stat=', '-o', 'comm=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }))
  const [, state = '', path = ''] = /^\s*(\S+)\s+(.*)$/m.exec(shown.stdout) ?? []
  return { name: basename(path.trim()), state }
}

/** A postmaster works in its cluster. Not every system lets us look; then the name has to do. */
async function worksElsewhere(pid: number, cluster: string): Promise<boolean> {
  const workingFolder = `/proc/${pid}/cwd`
  const [there, here] = await Promise.all(
    [workingFolder, cluster].map((path) => stat(path).catch(() => undefined)),
  )
  if (there === undefined || here === undefined || (there.ino === here.ino && there.dev === here.dev))
    return false
  // Some network file systems give one folder two numbers, so the names must differ as well.
  const [thereName, hereName] = await Promise.all(
    [workingFolder, cluster].map((path) => realpath(path).catch(() => undefined)),
  )
  return thereName !== hereName
}

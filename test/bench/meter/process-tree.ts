// A process with all its descendants, as Linux shows them: the CPU time they have used and the memory they hold.

import { readdirSync, readFileSync } from 'node:fs'
import { type ProcessStat, parseProcessStat } from './proc-stat.ts'

export interface TreeReading {
  /** Includes descendants that have ended, once their parent waited for them. */
  readonly cpuMs: number
  /** Resident memory of all that live; pages they share count once for each. */
  readonly rssBytes: number
}

/** Reads the tree below and with `rootPid`. Throws when that process is gone. */
export function readProcessTree(rootPid: number): TreeReading {
  const all = listProcesses()
  const root = all.find(({ pid }) => pid === rootPid)
  if (!root) throw new Error(`process ${rootPid} is gone`)
  const tree = [root, ...listDescendants(rootPid, all)]
  return {
    cpuMs: tree.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    rssBytes: tree.reduce((sum, { pid }) => sum + readRss(pid), 0),
  }
}

/** One process; undefined when it is gone. */
export function readProcess(pid: number): ProcessStat | undefined {
  const line = readIfThere(`/proc/${pid}/stat`)
  return line === undefined ? undefined : parseProcessStat(line)
}

const listProcesses = (): ProcessStat[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readProcess(Number(pid)) ?? [])

function listDescendants(parentPid: number, all: readonly ProcessStat[]): ProcessStat[] {
  const children = all.filter((process) => process.parentPid === parentPid)
  return children.flatMap((child) => [child, ...listDescendants(child.pid, all)])
}

function readRss(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1]
  return Number(kibibytes ?? 0) * 1024
}

/** Processes come and go while they are listed. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

// The machine: what it is, and how much of its CPU time went where.

import { readFileSync } from 'node:fs'
import { arch, cpus, platform, release, totalmem } from 'node:os'

const MS_PER_TICK = 10
const IDLE_FIELDS = new Set([3, 4])
/** Guest time is part of user time already. */
const COUNTED_FIELDS = 8

/** Milliseconds all cores together were busy since the machine started, from the text of /proc/stat (proc_stat(5)). */
export function parseBusyMs(text: string): number {
  const line = /^cpu +(.+)$/m.exec(text)?.[1]
  if (line === undefined) throw new Error('no line of all cores in /proc/stat')
  const ticks = line.split(' ').map(Number).slice(0, COUNTED_FIELDS)
  return (
    ticks.filter((_, index) => !IDLE_FIELDS.has(index)).reduce((sum, each) => sum + each, 0) * MS_PER_TICK
  )
}

export const readBusyMs = (): number => parseBusyMs(readFileSync('/proc/stat', 'utf8'))

/** What to write beside figures. Throws where the figures cannot be taken. */
export function describeMachine(): Readonly<Record<string, string | number>> {
  if (platform() !== 'linux')
    throw new Error('the benchmark reads CPU times from /proc, which only Linux has')
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
  }
}

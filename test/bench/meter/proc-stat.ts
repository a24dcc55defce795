// One line of /proc/<pid>/stat (proc_pid_stat(5)).

export interface ProcessStat {
  readonly pid: number
  readonly name: string
  readonly parentPid: number
  /** User and system time of all its threads, and of the children it has waited for. */
  readonly cpuMs: number
}

/** Linux counts in hundredths of a second towards user space, whatever the kernel's own tick (USER_HZ). */
const MS_PER_TICK = 10

/** Reads a line. Throws when it is none. */
export function parseProcessStat(line: string): ProcessStat {
  // The name stands in parentheses and may itself hold spaces and parentheses.
  const match = /^(\d+) \((.*)\) (.*)$/s.exec(line)
  if (!match) throw new Error(`not a line of /proc/<pid>/stat: ${line}`)
  const [, pid, name = '', rest = ''] = match
  const fields = rest.trim().split(' ').map(Number)
  // Numbered in the manual page from pid = 1; `rest` begins with field 3.
  const field = (number: number): number => fields[number - 3] ?? Number.NaN
  const ticks = field(14) + field(15) + field(16) + field(17)
  return { pid: Number(pid), name, parentPid: field(4), cpuMs: ticks * MS_PER_TICK }
}

import { describe, expect, it } from 'vitest'
import { parseBusyMs } from '../../bench/meter/machine.ts'
import { parseProcessStat } from '../../bench/meter/proc-stat.ts'

// As proc_pid_stat(5) numbers the fields: 4 is the parent, 14 to 17 are utime, stime, cutime and cstime.
const line = (name: string): string =>
  `4711 (${name}) S 42 4711 4711 0 -1 4194560 6423 118 0 3 250 125 30 20 20 0 11 0 9876 1064984576 19011 0 0`

describe('a line of /proc/<pid>/stat', () => {
  it('gives the process, its parent, and its CPU time with that of children it waited for', () => {
    expect(parseProcessStat(line('postgres'))).toEqual({
      pid: 4711,
      name: 'postgres',
      parentPid: 42,
      cpuMs: 4250,
    })
  })

  it.each(['node-MainThread', 'a b', 'a) S 1 (b', ')', '('])('may name the process %j', (name) => {
    expect(parseProcessStat(line(name))).toMatchObject({ name, parentPid: 42, cpuMs: 4250 })
  })

  it('is refused when it is none', () => {
    expect(() => parseProcessStat('')).toThrow('not a line of /proc/<pid>/stat')
  })
})

describe('the text of /proc/stat', () => {
  it('gives the time all cores were busy: not idle, not waiting for a disk, and guests once', () => {
    const text = 'cpu  100 20 30 4000 500 6 7 8 90 10\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 1\n'
    expect(parseBusyMs(text)).toBe((100 + 20 + 30 + 6 + 7 + 8) * 10)
  })

  it('is refused without that line', () => {
    expect(() => parseBusyMs('cpu0 1 1 1 1 1 1 1 1 1 1\n')).toThrow('no line of all cores')
  })
})

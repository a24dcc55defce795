// What a server process has logged so far.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerProcess } from './server-process.ts'

export interface LogLine {
  readonly level: string
  readonly msg: string
  /** Process id of the worker that wrote it or that it is about. */
  readonly worker?: number
  readonly [member: string]: unknown
}

const WAIT_MS = 120_000

/** The lines so far with this message. */
export const linesOf = ({ lines }: ServerProcess, msg: string): LogLine[] =>
  lines.filter((line) => line.endsWith(`"msg":"${msg}"}`)).map((line) => JSON.parse(line) as LogLine)

/** Does something, and waits for a line with this message that was not there before; gives it. */
export async function untilNextLine(server: ServerProcess, msg: string, act: () => void): Promise<LogLine> {
  const before = linesOf(server, msg).length
  act()
  const deadline = performance.now() + WAIT_MS
  while (performance.now() < deadline) {
    const line = linesOf(server, msg)[before]
    if (line) return line
    await sleep(20)
  }
  throw new Error(`waited in vain for "${msg}" after\n${server.lines.slice(-5).join('\n')}`)
}

// A server as a Node process of its own. It writes to a file, as it would in production: nobody here spends CPU on
// reading what it says while it is measured.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Target } from '../load/connection.ts'

export interface NodeProcess {
  readonly pid: number
  readonly url: string
  /** What it calls itself in tokens, when it makes any. */
  readonly issuer: string
  readonly target: Target
  /** Asks it to stop, and waits until it has. Rejects when it did not end well. */
  stop(): Promise<void>
}

export interface NodeProcessOptions {
  /** Path of the script, from this file. */
  readonly script: string
  readonly args?: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly logFile: string
}

const START_MS = 60_000
const POLL_MS = 20
const TAIL_LENGTH = 2000

/** Starts it and waits for the line that says where it listens. Rejects with its output when it does not. */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const log = openSync(options.logFile, 'w', 0o600)
  const script = fileURLToPath(new URL(options.script, import.meta.url))
  const child = spawn(process.execPath, [script, ...(options.args ?? [])], {
    env: composeEnvironment(options.variables),
    stdio: ['ignore', log, log],
  })
  const line = await untilListening(child, options.logFile)
  const url = new URL(line.url)
  return {
    pid: child.pid ?? 0,
    url: url.origin,
    issuer: line.issuer ?? url.origin,
    target: { host: url.hostname, port: Number(url.port) },
    stop: () => stop(child, options.logFile),
  }
}

/** Of this shell's own Patmint, say a database in production, the benchmark must know nothing. */
function composeEnvironment(variables: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PATMINT_'))
  return { ...Object.fromEntries(inherited), NODE_ENV: 'production', ...variables }
}

interface ListeningLine {
  readonly url: string
  readonly issuer?: string
}

async function untilListening(child: ChildProcess, logFile: string): Promise<ListeningLine> {
  const deadline = performance.now() + START_MS
  while (child.exitCode === null && performance.now() < deadline) {
    const line = readFileSync(logFile, 'utf8')
      .split('\n')
      .find((text) => text.includes('"msg":"listening"') && text.endsWith('}'))
    if (line) return JSON.parse(line) as ListeningLine
    await sleep(POLL_MS)
  }
  child.kill()
  throw new Error(`a server did not start:\n${readTail(logFile)}`)
}

async function stop(child: ChildProcess, logFile: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill()
    await once(child, 'exit')
  }
  if (child.exitCode !== 0) throw new Error(`a server did not stop well:\n${readTail(logFile)}`)
}

const readTail = (file: string): string => readFileSync(file, 'utf8').slice(-TAIL_LENGTH)

// What one test of the embedded Postgres uses, and clears up after it: databases, processes, data folders.
// Tests run side by side, so all this hangs on the test and not on the file.

import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { test } from 'vitest'
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/server/db/embedded/embedded-postgres.ts'

const SERVER = fileURLToPath(new URL('./embedded-postgres-process.ts', import.meta.url))

export class Workplace {
  /** Only its owner may enter, as with a real data folder. */
  readonly dataDir: string
  /** What the databases of this test logged. */
  readonly lines: string[] = []
  readonly #databases: EmbeddedPostgres[] = []
  readonly #processes: ChildProcess[] = []
  readonly #folders: string[] = []

  constructor(dataDir: string) {
    this.dataDir = dataDir
    this.#folders.push(dataDir)
  }

  async addFolder(): Promise<string> {
    const folder = await makeFolder()
    this.#folders.push(folder)
    return folder
  }

  async start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
    const log = (line: string) => void this.lines.push(line)
    const database = await startEmbeddedPostgres({ dataDir: this.dataDir, log, ...options })
    this.#databases.push(database)
    return database
  }

  spawn(command: string, args: string[] = []): ChildProcessByStdio<null, Readable, null> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#processes.push(child)
    return child
  }

  /** Starts a server process of its own without waiting for it. */
  spawnServer(): ChildProcessByStdio<null, Readable, null> {
    return this.spawn(process.execPath, [SERVER, this.dataDir])
  }

  /** Starts a server process of its own; answers what it printed. */
  async startServer(): Promise<{ child: ChildProcess; url?: string; code?: string }> {
    const child = this.spawnServer()
    const [line] = await once(createInterface(child.stdout), 'line')
    return { child, ...JSON.parse(line) }
  }

  async clear(): Promise<void> {
    for (const child of this.#processes) child.kill('SIGKILL')
    await Promise.all(this.#databases.map((database) => database.stop()))
    await Promise.all(this.#folders.map(clearFolder))
  }
}

/** `it` whose tests get a workplace of their own. */
export const it = test.extend<{ workplace: Workplace }>({
  workplace: async ({ onTestFinished }, use) => {
    const workplace = new Workplace(await makeFolder())
    onTestFinished(() => workplace.clear())
    await use(workplace)
  },
})

const makeFolder = () => mkdtemp(join(tmpdir(), 'patmint-embedded-'))

async function clearFolder(folder: string): Promise<void> {
  const pid = await readPostmasterPid(folder).catch(() => 0)
  if (/^\w.* postgres$/.test(describeProcess(pid))) process.kill(pid, 'SIGQUIT')
  await rm(folder, { recursive: true, force: true, maxRetries: 20 })
}

/** State and name; empty when there is no such process. */
function describeProcess(pid: number): string {
  const shown = spawnSync('ps', ['-o', 'stat=', '-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' })
  return shown.stdout.trim()
}

export const pidFile = (dataDir: string): string => join(dataDir, 'postgres', 'postmaster.pid')

export async function readPostmasterPid(dataDir: string): Promise<number> {
  const [pid] = (await readFile(pidFile(dataDir), 'utf8')).split('\n')
  return Number(pid)
}

export async function endProcess(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** A process that has ended but that nobody has asked about yet (`Z`) is not alive. */
export const isAlive = (pid: number): boolean => /^[^Z]/.test(describeProcess(pid))

/** The values of all rows, one after the other. */
export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat()
  } finally {
    await client.end()
  }
}

export const asSuperuser = (url: string): string =>
  url.replace('//patmint:', '//postgres:').replace(/patmint$/, 'postgres')

export async function waitUntil(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('waited in vain')
    await sleep(20)
  }
}

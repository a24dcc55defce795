// The real server as a process of its own, as an operator would run it, with all it prints kept.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { inject } from 'vitest'
import { canary, logFile } from './evidence.ts'

export interface ServerProcess {
  /** Where it listens. */
  readonly url: string
  /** Where it serves its metrics, when it was given PATMINT_METRICS_PORT. */
  readonly metricsUrl: string | undefined
  readonly issuer: string
  readonly dataDir: string
  readonly process: ChildProcess
  /** What it has printed so far. */
  readonly lines: readonly string[]
  /** PAT of the platform admin, when this server made it. */
  readonly bootstrapToken: () => string
  /** Sends a signal and waits for the exit code. */
  readonly stop: (signal?: NodeJS.Signals) => Promise<number | null>
}

export interface ProcessResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const MAIN = 'src/server/main.ts'

export const newDataDir = (): string => mkdtempSync(join(inject('evidenceDir'), 'data-'))
export const newSecretKey = (): string => canary(randomBytes(32).toString('base64url'))

const CONFIGURATION = /^(PATMINT|OTEL)_/

/** The environment of this process without anything that configures Patmint, and with what is given. */
export function environment(variables: Record<string, string>): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !CONFIGURATION.test(entry[0]),
  )
  // One machine has one default port, and the tests start many servers.
  return { ...Object.fromEntries(inherited), PATMINT_METRICS_PORT: 'off', ...variables }
}

/** Starts a server on a free port and waits until it listens. Rejects with its output when it does not. */
export async function startServerProcess(variables: Record<string, string>): Promise<ServerProcess> {
  const dataDir = variables['PATMINT_DATA_DIR'] ?? newDataDir()
  const env = environment({
    PATMINT_PORT: '0',
    PATMINT_LOG_LEVEL: 'debug',
    PATMINT_CONFIG: '/dev/null',
    ...variables,
    PATMINT_DATA_DIR: dataDir,
  })
  const child = spawn(process.execPath, [MAIN, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(logFile(`server-${child.pid}`))
  child.stdout.pipe(log)
  child.stderr.pipe(log)
  const lines: string[] = []
  const output = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const { url, issuer, metricsUrl } = await Promise.race([
    findListeningLine(output),
    exited.then((code) => {
      throw new Error(`the server exited with ${code}: ${readFileSync(String(log.path), 'utf8')}`)
    }),
  ])
  return {
    url,
    metricsUrl,
    issuer,
    dataDir,
    process: child,
    lines,
    bootstrapToken: () => canary(readFileSync(join(dataDir, 'bootstrap-token'), 'utf8').trim()),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return exited
    },
  }
}

const findListeningLine = (
  output: Interface,
): Promise<Pick<ServerProcess, 'url' | 'issuer' | 'metricsUrl'>> =>
  new Promise((resolve) => {
    let metricsUrl: string | undefined
    output.on('line', (line) => {
      const entry = JSON.parse(line) as { msg?: string; url?: string; issuer?: string }
      if (entry.msg === 'metrics') metricsUrl = entry.url
      if (entry.msg === 'listening' && entry.url && entry.issuer)
        resolve({ url: entry.url, issuer: entry.issuer, metricsUrl })
    })
  })

/** Runs a command of the server's binary, or another script, to its end. */
export async function runNode(
  args: readonly string[],
  variables: Record<string, string>,
): Promise<ProcessResult> {
  const child = spawn(process.execPath, args, {
    env: environment(variables),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([
    readAll(child.stdout),
    readAll(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}

export const runServerCommand = (args: readonly string[], variables: Record<string, string>) =>
  runNode([MAIN, ...args], { PATMINT_CONFIG: '/dev/null', ...variables })

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}

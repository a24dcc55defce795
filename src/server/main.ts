// The process: arguments, configuration, signals. The only file of the server that touches `process`; exit codes are
// 0 done, 1 failed, 2 wrong configuration or usage.

import cluster from 'node:cluster'
import { Command, Option } from 'commander'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../protocol/access-token.ts'
import { loadConfig } from './config/config.ts'
import { createLogger } from './http/log.ts'
import { applyCommand, migrateCommand, type OperatorContext, UsageProblems } from './operator.ts'
import { rotateKeysCommand } from './rotate-keys-command.ts'
import { serve } from './serve.ts'
import { serveByWorkers } from './serve-by-workers.ts'
import { currentTraceId } from './telemetry/active-trace.ts'
import { work } from './work.ts'
import { tell } from './workers/follow-orders.ts'

function readContext(): OperatorContext {
  const config = loadConfig(process.env)
  if (!config.ok) throw new UsageProblems('wrong configuration', config.error)
  const { logLevel, otlpEndpoint } = config.value
  const log = createLogger(logLevel, undefined, otlpEndpoint ? currentTraceId : undefined)
  return { config: config.value, env: process.env, log, clock: () => new Date() }
}

/** Resolves at the first SIGTERM or SIGINT; a second one, of either, ends the process at once. */
function untilStopped(): Promise<NodeJS.Signals> {
  const signals = ['SIGTERM', 'SIGINT'] as const
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      for (const each of signals) process.off(each, stop)
      resolve(signal)
    }
    for (const each of signals) process.on(each, stop)
  })
}

/** SIGHUP asks for a rolling restart. One that comes before anybody listens must not end the process. */
function listenForReload(): (listener: () => void) => void {
  let reload = (): void => {}
  process.on('SIGHUP', () => reload())
  return (listener) => {
    reload = listener
  }
}

async function serveAsConfigured(): Promise<void> {
  const context = readContext()
  if (context.config.workers === 1) return serve(context, untilStopped())
  return serveByWorkers(context, { stopped: untilStopped(), onReload: listenForReload() })
}

/** A worker takes orders from its primary alone: a signal to the whole process group is the primary's to obey. */
async function workForPrimary(): Promise<void> {
  const { worker } = cluster
  if (!worker) throw new UsageProblems('serve starts the workers', ['and nobody else'])
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  try {
    const { log, ...context } = readContext()
    await work({ ...context, log: log.child({ worker: process.pid }) }, worker)
  } catch (error) {
    // For the primary to say, once for all of them.
    await tell(worker, { type: 'patmint:failed', reason: describe(error) })
    process.exit(1)
  }
}

const program = new Command('patmint-server')
  .description('OAuth 2.0 token exchange server')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

program.command('serve', { isDefault: true }).description('serve until SIGTERM').action(serveAsConfigured)

program.command('worker', { hidden: true }).action(workForPrimary)

program
  .command('migrate')
  .description('bring the database to this version')
  .action(async () => {
    for (const line of await migrateCommand(readContext())) process.stdout.write(`${line}\n`)
  })

program
  .command('apply')
  .description('apply declarative files in one transaction and print what changed')
  .requiredOption('-f, --file <path...>', 'declarative file')
  .action(async ({ file }: { file: string[] }) => {
    for (const line of await applyCommand(readContext(), file)) process.stdout.write(`${line}\n`)
  })

program
  .command('rotate-keys')
  .description(
    'publish the next signing key of each algorithm, which takes over when no verifier can miss it',
  )
  .addOption(new Option('--alg <algorithm...>', 'of these alone').choices(SIGNING_ALGORITHMS))
  .action(async ({ alg }: { alg?: SigningAlgorithm[] }) => {
    for (const line of await rotateKeysCommand(readContext(), alg ?? SIGNING_ALGORITHMS))
      process.stdout.write(`${line}\n`)
  })

try {
  await program.parseAsync(process.argv)
  process.exitCode = 0
} catch (error) {
  process.stderr.write(`patmint-server: ${describe(error)}\n`)
  process.exitCode = error instanceof UsageProblems ? 2 : 1
}
// Nothing is left to do; a connection a client keeps open must not keep the process.
process.exit()

function describe(error: unknown): string {
  if (error instanceof UsageProblems)
    return `${error.message}\n${error.problems.map((line) => `  ${line}`).join('\n')}`
  // A host of several addresses refuses once for each of them.
  if (error instanceof AggregateError) return error.errors.map(describe).join(', ')
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`
}

// Starts Postgres programs as an account they accept, in a clean environment. As root it drops to an account that
// may not even see the data folder or the programs, and loosens no permission of the operator's folders: the
// cluster is reached through the inherited working folder, the programs through one capability where needed.

import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process'
import { chown } from 'node:fs/promises'
import { platform } from 'node:os'
import { promisify } from 'node:util'
import { EmbeddedPostgresError } from './embedded-postgres-error.ts'
import { type AccountIds, obtainAccount } from './system-account.ts'

export interface Launcher {
  /** Runs a program on a cluster to its end; rejects with what it said when it fails. */
  run(program: string, args: readonly string[], cluster: string): Promise<void>
  /** Starts a program that outlives this process, in a session of its own that Ctrl-C does not reach. */
  start(program: string, args: readonly string[], cluster: string, outputFd: number): ChildProcess
  /** Gives a file or folder to the account the programs run as. */
  handOver(path: string): Promise<void>
}

/** `CAP_` names. The first only reads, and suffices; containers usually withhold it but grant the second. */
type Capability = 'dac_read_search' | 'dac_override'

/** Nothing of the server's environment: it holds secrets, and PG* variables would steer Postgres. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

const execute = promisify(execFile)

/** A launcher that has proved it can run `postgres`. Fails with `binaries_unusable` or `account_unusable`. */
export async function createLauncher(postgres: string, cluster: string): Promise<Launcher> {
  const failures: string[] = []
  for (const launcher of await listCandidates(cluster)) {
    try {
      await launcher.run(postgres, ['--version'], '/')
      return launcher
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new EmbeddedPostgresError(
    'binaries_unusable',
    `${postgres} does not run (${failures.join('; ')}): reinstall it with install scripts allowed, make it accessible, or set PATMINT_DATABASE_URL`,
  )
}

/** Ways to start Postgres, the least privileged first. */
async function listCandidates(cluster: string): Promise<Launcher[]> {
  if (process.geteuid?.() !== 0) return [launchAs(undefined)]
  const account = await obtainAccount(cluster)
  return [launchAs(account), launchAs(account, 'dac_read_search'), launchAs(account, 'dac_override')]
}

function launchAs(account: AccountIds | undefined, capability?: Capability): Launcher {
  const prefix = account && capability ? dropRootExcept(capability, account) : []
  const settings = { ...(capability ? {} : account), env: ENVIRONMENT }
  const compose = (program: string, args: readonly string[], cluster: string): [string, string[]] => {
    const dataDirectory = account ? reachable(cluster) : cluster
    const [file = program, ...rest] = [...prefix, program, ...args, '-D', dataDirectory]
    return [file, rest]
  }
  return {
    async run(program, args, cluster) {
      await execute(...compose(program, args, cluster), { ...settings, cwd: cluster }).catch(rejectWithOutput)
    },
    start(program, args, cluster, outputFd) {
      const stdio: StdioOptions = ['ignore', outputFd, outputFd]
      return spawn(...compose(program, args, cluster), { ...settings, cwd: cluster, stdio, detached: true })
    },
    async handOver(path) {
      if (account) await chown(path, account.uid, account.gid)
    },
  }
}

/** Linux follows this link straight to the working folder, whatever the folders above it permit. */
const reachable = (cluster: string): string => (platform() === 'linux' ? '/proc/self/cwd' : cluster)

const dropRootExcept = (capability: Capability, account: AccountIds): string[] => [
  'setpriv',
  `--reuid=${account.uid}`,
  `--regid=${account.gid}`,
  '--clear-groups',
  // Postgres looks for its own program with access(2), which ignores capabilities unless this bit is set.
  '--securebits=+no_setuid_fixup',
  `--inh-caps=+${capability}`,
  `--ambient-caps=+${capability}`,
  '--',
]

function rejectWithOutput(error: unknown): never {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  throw new Error(said || (error instanceof Error ? error.message : String(error)), { cause: error })
}

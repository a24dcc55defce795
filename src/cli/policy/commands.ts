// The command line of `patmint policy`. Decides nothing itself.

import type { Command } from 'commander'
import type { ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { type PolicyWork, runPolicyCommand } from './policy-command.ts'
import { restorePolicy, showHistory } from './policy-history.ts'
import { addChangeOptions, addHistoryOptions, addLevelOptions, type LevelOptions } from './policy-options.ts'
import { setPolicy } from './set-policy.ts'
import { previewPolicy, showPolicy } from './show-policy.ts'

const YES = ['--yes', 'do not ask before a change that stops credentials in use'] as const

export interface CommandLine {
  readonly version: string
  readonly surroundings: Surroundings
  readonly onExit: (code: ExitCode) => void
  /** Of the environment and the exit codes. */
  readonly help: string
}

/** Adds `policy` with its commands to `program`. */
export function addPolicyCommands(
  program: Command,
  { version, surroundings, onExit, help }: CommandLine,
): void {
  const policy = program
    .command('policy')
    .description('see and change how long credentials and tokens may live')
  const run =
    <Options extends LevelOptions>(command: (options: Options, work: PolicyWork) => Promise<ExitCode>) =>
    async (options: Options): Promise<void> =>
      onExit(await runPolicyCommand(options, version, surroundings, command))

  addLevelOptions(policy.command('show').description('print the policy of the platform or an organization'))
    .addHelpText('after', help)
    .action(run(showPolicy))
  addChangeOptions(
    addLevelOptions(
      policy.command('preview').description('print what a change of the policy would stop, and when'),
    ),
  )
    .addHelpText('after', help)
    .action(run(previewPolicy))
  addChangeOptions(
    addLevelOptions(policy.command('set').description('change the fields named, and only those')),
  )
    .option(...YES)
    .addHelpText('after', help)
    .action(run(setPolicy))
  addHistoryOptions(
    addLevelOptions(policy.command('history').description('print the versions of the policy, newest first')),
  )
    .addHelpText('after', help)
    .action(run(showHistory))
  addLevelOptions(policy.command('restore <number>').description('have a version of the history again'))
    .option(...YES)
    .addHelpText('after', help)
    .action((number: string, options: LevelOptions) =>
      run((given: LevelOptions, work) => restorePolicy(number, given, work))(options),
    )
}

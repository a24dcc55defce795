// The command line of `patmint policy`. Decides nothing itself.

import type { Command } from 'commander'
import type { ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { type PolicyWork, runPolicyCommand } from './policy-command.ts'
import { addChangeOptions, addLevelOptions, type LevelOptions } from './policy-options.ts'
import { setPolicy } from './set-policy.ts'
import { previewPolicy, showPolicy } from './show-policy.ts'

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
    .option('--yes', 'do not ask before a change that stops credentials in use')
    .addHelpText('after', help)
    .action(run(setPolicy))
}

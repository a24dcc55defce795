// The command line of `patmint`: which commands there are and what they take. Decides nothing itself.

import { Command, CommanderError } from 'commander'
import { EXIT_CODE, type ExitCode } from './exit-code.ts'
import { addPolicyCommands } from './policy/commands.ts'
import { readVersion } from './read-version.ts'
import { sanitizeMessage } from './sanitize-message.ts'
import type { Surroundings } from './surroundings.ts'
import { runTokenCommand, type TokenOptions } from './token-command.ts'
import { runVerifyCommand, type VerifyOptions } from './verify/verify-command.ts'

const ENVIRONMENT_HELP = `
Environment:
  PATMINT_ISSUER       issuer URL, unless --issuer is given
  PATMINT_TOKEN        the PAT or API key; never taken from the command line, where other users could read it
  PATMINT_WARN_BEFORE  how long before its end to warn of it (default: 14d; 0: never)

Exit codes: 0 ok, 1 refused, 2 usage, 3 unreachable`

/** Runs one invocation and resolves to its exit code. `args` come without the interpreter and the script. */
export async function runCli(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  // A credential typed as an argument by mistake would come back in the complaint about it.
  const careful = {
    ...surroundings,
    writeErr: (text: string) => surroundings.writeErr(sanitizeMessage(text)),
  }
  let exitCode: ExitCode = EXIT_CODE.ok
  const program = buildProgram(careful, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // commander throws for --help and --version too, with 0; its 1 would read as a refusal.
    return error.exitCode === 0 ? EXIT_CODE.ok : EXIT_CODE.usage
  }
}

function buildProgram(surroundings: Surroundings, onExit: (code: ExitCode) => void): Command {
  const version = readVersion()
  const { writeOut, writeErr } = surroundings
  // Subcommands inherit these two only when they are made afterwards.
  const program = new Command('patmint').exitOverride().configureOutput({ writeOut, writeErr })
  program.description('Swap a personal access token for a short-lived, scoped JWT').version(version)
  program
    .command('token')
    .description('print an access token for an audience')
    .option(
      '--audience <uri>',
      'resource server the token is for (repeatable; default: the only one permitted)',
      collect,
    )
    .option(
      '--scope <scope>',
      'ask for this scope only (repeatable; default: all that is effective)',
      collect,
    )
    .option('--issuer <url>', 'issuer URL (default: PATMINT_ISSUER)')
    .option('--json', 'print the whole response as JSON')
    .addHelpText('after', ENVIRONMENT_HELP)
    .action(async (options: TokenOptions) => onExit(await runTokenCommand(options, version, surroundings)))
  program
    .command('verify')
    .description('check an access token as a service would, with the keys and the status list of the issuer')
    .argument('[jwt]', 'the token (default: read from stdin); never a PAT or an API key')
    .option(
      '--audience <uri>',
      'audience it has to be for (repeatable; one of them is enough; default: whichever it is for)',
      collect,
    )
    .option('--issuer <url>', 'issuer URL (default: PATMINT_ISSUER)')
    .option('--json', 'print the verdict as JSON')
    .addHelpText('after', ENVIRONMENT_HELP)
    .action(async (jwt: string | undefined, options: VerifyOptions) =>
      onExit(await runVerifyCommand(jwt, options, surroundings)),
    )
  addPolicyCommands(program, { version, surroundings, onExit, help: ENVIRONMENT_HELP })
  return program
}

const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value]

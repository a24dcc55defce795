#!/usr/bin/env node
// The `patmint` process: the only file of the CLI that touches process.*. Runs at import, for bin/patmint.js.

import { EXIT_CODE } from './exit-code.ts'
import { runCli } from './run-cli.ts'
import { openTerminal } from './terminal.ts'

// A full disk, or a reader that has gone: what came before, such as a change, has been said on stderr.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`error: stdout cannot be written: ${error.code}\n`)
  process.exitCode = EXIT_CODE.unreachable
})

const exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  fetch,
  now: () => new Date(),
  writeOut: (text) => process.stdout.write(text),
  writeErr: (text) => process.stderr.write(text),
  ...openTerminal(process),
})
process.exitCode ??= exitCode

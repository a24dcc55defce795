#!/usr/bin/env node
// The `patmint` process: the only file of the CLI that touches process.*. Runs at import, for bin/patmint.js.

import { runCli } from './run-cli.ts'
import { openTerminal } from './terminal.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  environment: process.env,
  fetch,
  now: () => new Date(),
  writeOut: (text) => process.stdout.write(text),
  writeErr: (text) => process.stderr.write(text),
  ...openTerminal(process),
})

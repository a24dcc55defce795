#!/usr/bin/env node
// Starts the server: from its sources in a checkout, from the build in an installed package.

import { existsSync } from 'node:fs'

const source = new URL('../src/server/main.ts', import.meta.url)
if (!existsSync(source)) {
  await import('../dist/server/main.js')
} else if (process.features.typescript) {
  await import(source.href)
} else {
  process.stderr.write(
    `error: a checkout of patmint needs Node.js 22.18 or newer, this is ${process.version}\n`,
  )
  process.exitCode = 2
}

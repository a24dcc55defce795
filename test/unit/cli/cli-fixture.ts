// The CLI without a process: runs against a `fetch` of the test's own, and keeps what it wrote.

import { expect } from 'vitest'
import { runCli } from '../../../src/cli/run-cli.ts'
import type { Surroundings } from '../../../src/cli/surroundings.ts'
import { PAT } from './token-endpoint-fixture.ts'

export const ENVIRONMENT = { PATMINT_ISSUER: 'https://patmint.example.com', PATMINT_TOKEN: PAT }

/** Runs the CLI with nobody at the terminal and no colours, unless told otherwise. It never prints the credential. */
export async function runInside(
  args: readonly string[],
  surroundings: Pick<Surroundings, 'fetch'> & Partial<Surroundings>,
) {
  const seen = { out: '', err: '' }
  const exitCode = await runCli(args, {
    environment: ENVIRONMENT,
    now: () => new Date('2026-03-01T12:00:00.000Z'),
    paint: (_, text) => text,
    ask: null,
    readIn: null,
    writeOut: (text) => {
      seen.out += text
    },
    writeErr: (text) => {
      seen.err += text
    },
    ...surroundings,
  })
  expect(seen.out + seen.err).not.toContain(PAT)
  return { exitCode, ...seen }
}

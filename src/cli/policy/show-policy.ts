// `patmint policy show` and `patmint policy preview`: what is in force, and what another policy would stop. Neither
// changes anything.

import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import { printPolicy } from './change-policy.ts'
import { formatImpact } from './format-impact.ts'
import type { PolicyWork } from './policy-command.ts'
import { type ChangeOptions, type LevelOptions, readChanges } from './policy-options.ts'

/** Prints the policy of a level. */
export async function showPolicy(options: LevelOptions, work: PolicyWork): Promise<ExitCode> {
  const read = await work.client.read()
  return read.ok ? printPolicy(read.value, options, work) : work.tellFailure(read.error)
}

/** Prints what the present policy would stop with the changes that the options name. */
export async function previewPolicy(options: ChangeOptions, work: PolicyWork): Promise<ExitCode> {
  const { client, tellFailure, surroundings } = work
  const read = await client.read()
  if (!read.ok) return tellFailure(read.error)
  const wanted = { ...read.value.policy, ...readChanges(options) }
  const preview = await client.preview(wanted)
  if (!preview.ok) return tellFailure(preview.error)
  const { now, paint, writeOut } = surroundings
  const impact = preview.value
  writeOut(options.json ? `${JSON.stringify(impact.body)}\n` : formatImpact(impact, now(), paint))
  return EXIT_CODE.ok
}

// `patmint policy set`: the policy as it was read, with the fields that the options name.

import { isDeepStrictEqual } from 'node:util'
import { formatMessage } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import { type Agreement, changeShown, printPolicy, UNCHANGED } from './change-policy.ts'
import type { PolicyWork } from './policy-command.ts'
import { type ChangeOptions, readChanges } from './policy-options.ts'

/** Changes the fields named, having shown what that stops, and prints the policy as it is then. */
export async function setPolicy(options: ChangeOptions & Agreement, work: PolicyWork): Promise<ExitCode> {
  const { client, surroundings, tellFailure } = work
  const { writeErr } = surroundings
  const changes = readChanges(options)
  if (Object.keys(changes).length === 0) {
    writeErr(formatMessage('no field is named', 'patmint policy set --help lists them'))
    return EXIT_CODE.usage
  }
  const read = await client.read()
  if (!read.ok) return tellFailure(read.error)
  const wanted = { ...read.value.policy, ...changes }
  if (isDeepStrictEqual(wanted, read.value.policy)) {
    writeErr(UNCHANGED)
    return printPolicy(read.value, options, work)
  }
  const preview = await client.preview(wanted)
  if (!preview.ok) return tellFailure(preview.error)
  const make = (confirm: number) => client.replace(read.value, wanted, confirm)
  return changeShown(read.value, preview.value, make, options, work)
}

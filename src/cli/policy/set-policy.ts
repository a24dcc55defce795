// `patmint policy set`: the policy as it was read, with the fields that the options name.

import { isDeepStrictEqual } from 'node:util'
import { formatMessage } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import { type Agreement, changeAgreed, printPolicy } from './change-policy.ts'
import { formatImpact } from './format-impact.ts'
import type { PolicyWork } from './policy-command.ts'
import { type ChangeOptions, readChanges } from './policy-options.ts'

/** Changes the fields named, having shown what that stops, and prints the policy as it is then. */
export async function setPolicy(options: ChangeOptions & Agreement, work: PolicyWork): Promise<ExitCode> {
  const { client, surroundings, tellFailure } = work
  const { now, writeErr } = surroundings
  const changes = readChanges(options)
  if (Object.keys(changes).length === 0) {
    writeErr(formatMessage('no field is named', 'patmint policy set --help lists them'))
    return EXIT_CODE.usage
  }
  const read = await client.read()
  if (!read.ok) return tellFailure(read.error)
  const wanted = { ...read.value.policy, ...changes }
  if (isDeepStrictEqual(wanted, read.value.policy)) {
    writeErr('the policy says so already; nothing was changed\n')
    return printPolicy(read.value, options, work)
  }
  const preview = await client.preview(wanted)
  if (!preview.ok) return tellFailure(preview.error)
  const { inUse } = preview.value
  writeErr(formatImpact(preview.value, now(), (_, text) => text))
  if (preview.value.items.some(({ id, stopsAt }) => id === work.credentialId && stopsAt <= now()))
    writeErr('the credential in PATMINT_TOKEN is one of them: it could not change the policy back\n')
  const make = (confirm: number) => client.replace(read.value, wanted, confirm)
  return changeAgreed(make, inUse, options, work)
}

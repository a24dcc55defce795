// A change of a policy: shown beforehand, agreed to where it stops what is in use, and made on what was read. What
// somebody else did in between stops it; nothing is ever half done.

import type { ApiFailure } from '../api-client.ts'
import { formatMessage } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { formatImpact } from './format-impact.ts'
import { formatPolicy } from './format-policy.ts'
import type { Impact } from './impact.ts'
import type { Policy } from './policy.ts'
import type { Answered, PolicyRead } from './policy-client.ts'
import type { PolicyWork } from './policy-command.ts'

export interface PolicyChange {
  readonly wanted: Policy
  /** Makes it; `confirm`: how many credentials in use may stop. */
  readonly make: (confirm: number) => Answered<PolicyRead>
}

export interface Agreement {
  readonly yes?: boolean
  readonly json?: boolean
}

/** Makes a change and prints the policy as it is then. */
export async function changePolicy(
  { wanted, make }: PolicyChange,
  options: Agreement,
  work: PolicyWork,
): Promise<ExitCode> {
  const { client, surroundings } = work
  const preview = await client.preview(wanted)
  if (!preview.ok) return work.tellFailure(preview.error)
  if (!(await isAgreed(preview.value, options, surroundings))) return EXIT_CODE.refused
  const made = await make(preview.value.inUse)
  if (!made.ok) return tellConflict(made.error, work)
  surroundings.writeErr(`the policy of ${client.title} was changed\n`)
  return printPolicy(made.value, options, work)
}

export function printPolicy(
  { policy, body }: PolicyRead,
  { json }: Pick<Agreement, 'json'>,
  { client, surroundings: { paint, writeOut } }: PolicyWork,
): ExitCode {
  writeOut(json ? `${JSON.stringify(body)}\n` : formatPolicy(policy, body, client.title, paint))
  return EXIT_CODE.ok
}

/** Shows what would stop, and asks whether it may where that is in use. False, told, when it may not. */
async function isAgreed(
  impact: Impact,
  { yes }: Agreement,
  { now, writeErr, ask }: Surroundings,
): Promise<boolean> {
  writeErr(formatImpact(impact, now(), (_, text) => text))
  if (impact.inUse === 0 || yes) return true
  const toll = `${impact.inUse} ${impact.inUse === 1 ? 'credential' : 'credentials'} used in the last 30 days`
  if (!ask) {
    const hint = 'there is no terminal to ask at: pass --yes to change the policy all the same'
    writeErr(formatMessage(`this would stop ${toll}; nothing was changed`, hint))
    return false
  }
  const answer = await ask(`Stop ${toll}? [y/N] `)
  if (/^y(es)?$/i.test(answer?.trim() ?? '')) return true
  writeErr('nothing was changed\n')
  return false
}

/** Says what somebody else, or time, did since the policy was read and previewed. */
function tellConflict(
  failure: ApiFailure,
  { surroundings: { writeErr }, tellFailure }: PolicyWork,
): ExitCode {
  const { code, members } = failure.reason === 'refused' ? failure : { code: undefined, members: {} }
  const problem =
    code === 'precondition_failed'
      ? 'somebody else has changed the policy meanwhile'
      : code === 'confirmation_required'
        ? `by now it would stop ${String(members['count'])} credentials used in the last 30 days`
        : undefined
  if (problem === undefined) return tellFailure(failure)
  writeErr(
    formatMessage(`${problem}; nothing was changed`, 'run the same command again to see it as it is now'),
  )
  return EXIT_CODE.refused
}

// A change of a policy: agreed to where it stops what is in use, and made on what was read. What somebody else did in
// between stops it; nothing is ever half done.

import type { ApiFailure } from '../api-client.ts'
import { formatMessage } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { formatImpact } from './format-impact.ts'
import { formatPolicy } from './format-policy.ts'
import type { Impact } from './impact.ts'
import type { Answered, PolicyRead } from './policy-client.ts'
import type { PolicyWork } from './policy-command.ts'

export const UNCHANGED = 'the policy says so already; nothing was changed\n'

export interface Agreement {
  readonly yes?: boolean
  readonly json?: boolean
}

/** Makes a change, with how many credentials in use it may stop. */
export type MakeChange = (confirm: number) => Answered<PolicyRead>

/** Shows what a change of the policy `before` would stop, makes it if that is agreed to, and prints the policy as it is then. */
export async function changeShown(
  before: PolicyRead,
  impact: Impact,
  make: MakeChange,
  options: Agreement,
  work: PolicyWork,
): Promise<ExitCode> {
  const { now, writeErr } = work.surroundings
  writeErr(formatImpact(impact, now(), (_, text) => text))
  if (impact.stopsCaller)
    writeErr(
      'the credential in PATMINT_TOKEN would stop within a day: it could not change the policy back then\n',
    )
  return changeAgreed(before, make, impact.inUse, options, work)
}

/** Where the number of credentials in use has changed since it was shown, whoever was asked is asked again. */
async function changeAgreed(
  before: PolicyRead,
  make: MakeChange,
  inUse: number,
  options: Agreement,
  work: PolicyWork,
): Promise<ExitCode> {
  const { writeErr, ask } = work.surroundings
  if (!(await mayStop(inUse, options, work.surroundings))) return EXIT_CODE.refused
  const made = await make(inUse)
  if (made.ok) {
    const isNew = made.value.body['version'] !== before.body['version']
    writeErr(isNew ? `the policy of ${work.client.title} was changed\n` : UNCHANGED)
    return printPolicy(made.value, options, work)
  }
  const count = readConfirmation(made.error)
  if (count === undefined || options.yes || !ask) return tellConflict(made.error, work)
  writeErr('that number has changed meanwhile\n')
  return changeAgreed(before, make, count, options, work)
}

async function mayStop(inUse: number, { yes }: Agreement, { writeErr, ask }: Surroundings): Promise<boolean> {
  if (inUse === 0 || yes) return true
  const toll = `${inUse} ${inUse === 1 ? 'credential' : 'credentials'} used in the last 30 days, now or within a day`
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

export function printPolicy(
  { policy, body }: PolicyRead,
  { json }: Pick<Agreement, 'json'>,
  { client, surroundings: { paint, writeOut } }: PolicyWork,
): ExitCode {
  writeOut(json ? `${JSON.stringify(body)}\n` : formatPolicy(policy, body, client.title, paint))
  return EXIT_CODE.ok
}

/** How many credentials in use have to be confirmed, when that is what was refused; else `undefined`. */
const readConfirmation = (failure: ApiFailure): number | undefined =>
  failure.reason === 'refused' && failure.code === 'confirmation_required'
    ? Number(failure.members['count'])
    : undefined

/** Says what somebody else, or time, did since the policy was read. */
function tellConflict(
  failure: ApiFailure,
  { surroundings: { writeErr }, tellFailure }: PolicyWork,
): ExitCode {
  const problem = describeConflict(failure)
  if (problem === undefined) return tellFailure(failure)
  writeErr(
    formatMessage(`${problem}; nothing was changed`, 'run the same command again to see it as it is now'),
  )
  return EXIT_CODE.refused
}

function describeConflict(failure: ApiFailure): string | undefined {
  const count = readConfirmation(failure)
  if (count !== undefined)
    return `by now it would stop ${count} credentials used in the last 30 days, now or within a day`
  return failure.reason === 'refused' && failure.code === 'precondition_failed'
    ? 'somebody else has changed the policy meanwhile'
    : undefined
}

// A change of a policy: agreed to where it stops what is in use, and made on what was read. What somebody else did in
// between stops it; nothing is ever half done.

import type { Result } from '../../protocol/result.ts'
import type { ApiFailure } from '../api-client.ts'
import { formatMessage } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import type { Surroundings } from '../surroundings.ts'
import { formatPolicy } from './format-policy.ts'
import type { PolicyRead } from './policy-client.ts'
import type { PolicyWork } from './policy-command.ts'

export interface Agreement {
  readonly yes?: boolean
  readonly json?: boolean
}

/** Whether so many credentials in use may stop, which a person is asked. False, told, when they may not. */
export async function mayStop(
  inUse: number,
  { yes }: Agreement,
  { writeErr, ask }: Surroundings,
): Promise<boolean> {
  if (inUse === 0 || yes) return true
  const toll = `${inUse} ${inUse === 1 ? 'credential' : 'credentials'} used in the last 30 days`
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

/** Prints the policy as a change left it, or says what stood against it. */
export function finishChange(
  made: Result<PolicyRead, ApiFailure>,
  options: Agreement,
  work: PolicyWork,
): ExitCode {
  if (!made.ok) return tellConflict(made.error, work)
  work.surroundings.writeErr(`the policy of ${work.client.title} was changed\n`)
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

/** How many credentials in use have to be confirmed, when that is what was refused; else `undefined`. */
export const readConfirmation = (failure: ApiFailure): number | undefined =>
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
  if (count !== undefined) return `by now it would stop ${count} credentials used in the last 30 days`
  return failure.reason === 'refused' && failure.code === 'precondition_failed'
    ? 'somebody else has changed the policy meanwhile'
    : undefined
}

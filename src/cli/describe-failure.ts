// What the person at the terminal reads when there is no answer, and what their script sees. Failures become text and
// an exit code here and nowhere else.

import type { ApiFailure, ApiRefusal } from './api-client.ts'
import type { ExchangeFailure } from './exchange-client.ts'
import { EXIT_CODE, type ExitCode } from './exit-code.ts'
import type { NoAnswer } from './send-request.ts'

/** Text for stderr, one line or two with a hint, and the exit code. */
export interface FailureText {
  readonly message: string
  readonly exitCode: ExitCode
}

type Hints = Readonly<Record<string, string>>

const UNUSABLE = 'PATMINT_TOKEN may be expired, revoked, or made by another issuer than PATMINT_ISSUER'

/** Next step per error code of the token endpoint; codes that are not the caller's to fix have none. */
const EXCHANGE_HINTS: Hints = {
  invalid_request: UNUSABLE,
  invalid_target: 'name a resource server this credential permits with --audience',
  invalid_scope: 'ask for less with --scope, or leave it out for all that is effective',
  invalid_client: 'PATMINT_ISSUER does not let the client patmint-cli in',
  unauthorized_client: 'PATMINT_ISSUER does not let the client patmint-cli exchange tokens',
}

/** The same per code of the management API. */
const API_HINTS: Hints = {
  unauthorized: UNUSABLE,
  forbidden:
    'it takes policy:read, and policy:write for changes; the policy of the platform takes a platform admin, that of ' +
    'an organization is named with --organization',
  not_found: 'there is no such thing, or PATMINT_TOKEN does not reach it',
}

/** Of an exchange. */
export const describeFailure = (failure: ExchangeFailure, issuer: string): FailureText =>
  failure.reason === 'refused'
    ? { message: describeRefusal(failure, issuer), exitCode: EXIT_CODE.refused }
    : describeNoAnswer(failure, issuer)

/** Of a call of the management API. */
export const describeApiFailure = (failure: ApiFailure, issuer: string): FailureText =>
  failure.reason === 'refused'
    ? { message: describeProblem(failure, issuer), exitCode: EXIT_CODE.refused }
    : describeNoAnswer(failure, issuer)

function describeNoAnswer(failure: NoAnswer, issuer: string): FailureText {
  const exitCode = EXIT_CODE.unreachable
  switch (failure.reason) {
    case 'busy':
      return { message: describeBusy(failure, issuer), exitCode }
    case 'unreachable':
      return {
        message: formatMessage(
          `cannot reach ${issuer}: ${failure.detail}`,
          'is it running, and is that its URL?',
        ),
        exitCode,
      }
    case 'unexpected':
      return {
        message: formatMessage(
          `${issuer} is not answering as a token server: ${failure.detail}`,
          'set PATMINT_ISSUER to the issuer exactly, without redirects in between',
        ),
        exitCode,
      }
  }
}

function describeRefusal(failure: ExchangeFailure & { reason: 'refused' }, issuer: string): string {
  const { status, error, description } = failure
  if (error === undefined) return describeStranger(`${issuer} answered ${status} without an OAuth error`)
  return formatMessage(joinWords(error, description), findHint(EXCHANGE_HINTS, error))
}

function describeProblem({ status, code, detail }: ApiRefusal, issuer: string): string {
  if (code === undefined) return describeStranger(`${issuer} answered ${status} without a problem document`)
  return formatMessage(joinWords(code, detail), findHint(API_HINTS, code))
}

const describeStranger = (problem: string): string =>
  formatMessage(problem, 'is PATMINT_ISSUER a Patmint server?')

const findHint = (hints: Hints, code: string): string | undefined =>
  Object.hasOwn(hints, code) ? hints[code] : undefined

/** Line breaks of the server's could pass for lines of ours. */
const joinWords = (code: string, words: string | undefined): string =>
  (words === undefined ? code : `${code}: ${words}`).replaceAll('\n', ' ')

function describeBusy(failure: NoAnswer & { reason: 'busy' }, issuer: string): string {
  const when = failure.retryAfter === undefined ? '' : ` (Retry-After: ${failure.retryAfter})`
  return formatMessage(`${issuer} answered ${failure.status}`, `try again later${when}`)
}

/** A problem and what to do about it. */
export const formatMessage = (problem: string, hint?: string): string =>
  `error: ${problem}\n${hint === undefined ? '' : `hint: ${hint}\n`}`

// What the person at the terminal reads when there is no token, and what their script sees. Failures of the
// exchange become text and an exit code here and nowhere else.

import type { ExchangeFailure } from './exchange-client.ts'
import { EXIT_CODE, type ExitCode } from './exit-code.ts'

/** Next step per error code of the token endpoint; codes that are not the caller's to fix have none. */
const HINTS: Readonly<Record<string, string>> = {
  invalid_request: 'PATMINT_TOKEN may be expired, revoked, or made by another issuer than PATMINT_ISSUER',
  invalid_target: 'name a resource server this credential permits with --audience',
  invalid_scope: 'ask for less with --scope, or leave it out for all that is effective',
  invalid_client: 'PATMINT_ISSUER does not let the client patmint-cli in',
  unauthorized_client: 'PATMINT_ISSUER does not let the client patmint-cli exchange tokens',
}

/** Text for stderr, one line or two with a hint, and the exit code. */
export function describeFailure(
  failure: ExchangeFailure,
  issuer: string,
): { readonly message: string; readonly exitCode: ExitCode } {
  switch (failure.reason) {
    case 'refused':
      return { message: describeRefusal(failure, issuer), exitCode: EXIT_CODE.refused }
    case 'busy':
      return { message: describeBusy(failure, issuer), exitCode: EXIT_CODE.unreachable }
    case 'unreachable':
      return {
        message: formatMessage(
          `cannot reach ${issuer}: ${failure.detail}`,
          'is it running, and is that its URL?',
        ),
        exitCode: EXIT_CODE.unreachable,
      }
    case 'unexpected':
      return {
        message: formatMessage(
          `${issuer} is not answering as a token server: ${failure.detail}`,
          'set PATMINT_ISSUER to the issuer exactly, without redirects in between',
        ),
        exitCode: EXIT_CODE.unreachable,
      }
  }
}

function describeRefusal(failure: ExchangeFailure & { reason: 'refused' }, issuer: string): string {
  const { status, error, description } = failure
  if (error === undefined) {
    return formatMessage(
      `${issuer} answered ${status} without an OAuth error`,
      'is PATMINT_ISSUER a Patmint server?',
    )
  }
  // Line breaks of the server's could pass for lines of ours.
  const said = description === undefined ? error : `${error}: ${description}`
  return formatMessage(said.replaceAll('\n', ' '), Object.hasOwn(HINTS, error) ? HINTS[error] : undefined)
}

function describeBusy(failure: ExchangeFailure & { reason: 'busy' }, issuer: string): string {
  const when = failure.retryAfter === undefined ? '' : ` (Retry-After: ${failure.retryAfter})`
  return formatMessage(`${issuer} answered ${failure.status}`, `try again later${when}`)
}

const formatMessage = (problem: string, hint?: string): string =>
  `error: ${problem}\n${hint === undefined ? '' : `hint: ${hint}\n`}`

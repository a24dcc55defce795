// The warning where automation looks: a credential that soon stops working, told on stderr by whatever uses it.

import { parseDurationSeconds } from '../protocol/duration.ts'
import { fail, ok, type Result } from '../protocol/result.ts'
import { describeSpan } from './describe-span.ts'
import type { TokenResponse } from './exchange-client.ts'

const DEFAULT_WARN_BEFORE = '14d'

/** Seconds of `PATMINT_WARN_BEFORE`; 0: never. Fails with what is wrong with it, as a sentence. */
export function resolveWarnBefore(variable: string | undefined): Result<number, string> {
  if (variable === '0') return ok(0)
  const seconds = parseDurationSeconds(variable || DEFAULT_WARN_BEFORE)
  return seconds === undefined
    ? fail('PATMINT_WARN_BEFORE is no duration such as 12h or 14d, and not 0 for never')
    : ok(seconds)
}

/** Lines for stderr when what was exchanged stops working in less than `warnBeforeSeconds`; empty otherwise. */
export function describeEnd(
  { subject_token_expires_in: leftSeconds }: TokenResponse,
  warnBeforeSeconds: number,
): string {
  if (typeof leftSeconds !== 'number' || leftSeconds >= warnBeforeSeconds) return ''
  return (
    `warning: the credential in PATMINT_TOKEN stops working in ${describeSpan(leftSeconds)}\n` +
    'hint: rotate it before then, which a credential does by itself: POST /api/v1/tokens/{id}/rotate; ' +
    'PATMINT_WARN_BEFORE=0 for no warning\n'
  )
}

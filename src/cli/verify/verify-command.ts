// `patmint verify`: a JWT in, what a service would make of it out. It asks the issuer for its keys and the status list,
// and nobody about the token.

import { createVerifier, VerifyError } from '../../verify/index.ts'
import { formatMessage } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import { resolveIssuer } from '../resolve-source.ts'
import type { Surroundings } from '../surroundings.ts'
import { formatVerdict, formatVerdictJson, type Verdict } from './format-verdict.ts'
import { readToken } from './read-token.ts'

/** Options of the command line, as commander gathers them. */
export interface VerifyOptions {
  readonly audience?: readonly string[]
  readonly issuer?: string
  readonly json?: boolean
}

/** Prints the verdict; why a token is refused stands on stderr, and on stdout with `--json`. Resolves to the exit code. */
export async function runVerifyCommand(
  argument: string | undefined,
  options: VerifyOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { environment, now, paint, readIn, writeErr, writeOut } = surroundings
  const issuer = resolveIssuer(options.issuer, environment['PATMINT_ISSUER'])
  const token = await readToken(argument, readIn)
  if (!issuer.ok || !token.ok) {
    writeErr([issuer.ok ? '' : formatMessage(issuer.error), token.ok ? '' : token.error].join(''))
    return EXIT_CODE.usage
  }
  try {
    const verdict = await judgeToken(token.value, issuer.value, options.audience ?? [], surroundings)
    writeOut(options.json ? formatVerdictJson(verdict, now()) : formatVerdict(verdict, now(), paint))
    return tellStatus(verdict, writeErr)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return tellRefusal(error, issuer.value, options, surroundings)
  }
}

/** Rejects with `VerifyError` unless the token is good, but for a status that cannot be had. */
async function judgeToken(
  token: string,
  issuer: string,
  audiences: readonly string[],
  { fetch, now }: Surroundings,
): Promise<Verdict> {
  const audience = audiences.length > 0 ? audiences : null
  const options = { issuer, audience, fetch, now }
  const strict = createVerifier(options)
  const lenient = createVerifier({ ...options, statusList: null })
  try {
    return { claims: await strict.verify(token), audiences, statusKnown: true }
  } catch (error) {
    if (!(error instanceof VerifyError) || error.code !== 'status_unavailable') throw error
    return { claims: await lenient.verify(token), audiences, statusKnown: false }
  } finally {
    strict.close()
    lenient.close()
  }
}

/** Whoever goes on by the exit code must not take a token for good whose status nobody could tell. */
function tellStatus({ statusKnown }: Verdict, writeErr: Surroundings['writeErr']): ExitCode {
  if (statusKnown) return EXIT_CODE.ok
  writeErr(
    formatMessage(
      'status_unavailable: the status list cannot be had',
      'services refuse the token with 503 until it can; try again later',
    ),
  )
  return EXIT_CODE.unreachable
}

function tellRefusal(
  { code, message, status }: VerifyError,
  issuer: string,
  { json }: VerifyOptions,
  { writeErr, writeOut }: Surroundings,
): ExitCode {
  if (status === 503) {
    writeErr(formatMessage(`${code}: ${message}`, `is ${issuer} running, and is that its URL?`))
    return EXIT_CODE.unreachable
  }
  writeErr(formatMessage(`${code}: ${message}`, HINTS[code]))
  if (json) writeOut(`${JSON.stringify({ valid: false, code, description: message })}\n`)
  return EXIT_CODE.refused
}

/** Next step where there is one. */
const HINTS: Readonly<Partial<Record<VerifyError['code'], string>>> = {
  token_expired: 'patmint token gets another one',
  issuer_mismatch: 'PATMINT_ISSUER must be the issuer exactly, as the token has it in iss',
  audience_mismatch: 'name the audience that the token is for, or none to accept any',
  proof_missing: 'it is bound to a key, and good only with a DPoP proof of whoever has that key',
}

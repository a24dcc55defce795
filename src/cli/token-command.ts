// `patmint token`: a PAT from the environment in, a JWT on stdout.

import { describeFailure } from './describe-failure.ts'
import { exchangeCredential } from './exchange-client.ts'
import { EXIT_CODE, type ExitCode } from './exit-code.ts'
import { resolveSource } from './resolve-source.ts'
import type { Surroundings } from './surroundings.ts'
import { describeEnd, resolveWarnBefore } from './warn-of-end.ts'

const TIMEOUT_MS = 10_000

/** Options of the command line, as commander gathers them. */
export interface TokenOptions {
  readonly audience?: readonly string[]
  readonly scope?: readonly string[]
  readonly issuer?: string
  readonly json?: boolean
}

/** Prints the token, or the response with `--json`; else says why not on stderr. Resolves to the exit code. */
export async function runTokenCommand(
  options: TokenOptions,
  version: string,
  { environment, fetch, writeOut, writeErr }: Surroundings,
): Promise<ExitCode> {
  const source = resolveSource(options, environment)
  const warnBefore = resolveWarnBefore(environment['PATMINT_WARN_BEFORE'])
  if (!source.ok || !warnBefore.ok) {
    const problems = [...(source.ok ? [] : source.error), ...(warnBefore.ok ? [] : [warnBefore.error])]
    writeErr(problems.map((problem) => `error: ${problem}\n`).join(''))
    return EXIT_CODE.usage
  }
  const request = { ...source.value, audiences: options.audience ?? [], scopes: options.scope ?? [] }
  const userAgent = `patmint-cli/${version}`
  const exchange = await exchangeCredential(request, { fetch, timeoutMs: TIMEOUT_MS, userAgent })
  if (!exchange.ok) {
    const { message, exitCode } = describeFailure(exchange.error, source.value.issuer)
    writeErr(message)
    return exitCode
  }
  writeErr(describeEnd(exchange.value, warnBefore.value))
  writeOut(`${options.json ? JSON.stringify(exchange.value) : exchange.value.access_token}\n`)
  return EXIT_CODE.ok
}

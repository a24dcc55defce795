// `patmint token`: a PAT from the environment in, a JWT on stdout. Problems of the call are found before any
// network, all at once.

import { type PresentedCredential, parseCredential } from '../protocol/credential.ts'
import { fail, ok, type Result } from '../protocol/result.ts'
import { findIssuerProblem } from '../verify/issuer-url.ts'
import { describeFailure } from './describe-failure.ts'
import { exchangeCredential } from './exchange-client.ts'
import { EXIT_CODE, type ExitCode } from './exit-code.ts'
import type { Surroundings } from './surroundings.ts'

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
  if (!source.ok) {
    writeErr(source.error.map((problem) => `error: ${problem}\n`).join(''))
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
  writeOut(`${options.json ? JSON.stringify(exchange.value) : exchange.value.access_token}\n`)
  return EXIT_CODE.ok
}

type Source = { readonly issuer: string; readonly credential: PresentedCredential }

function resolveSource(
  options: TokenOptions,
  environment: Surroundings['environment'],
): Result<Source, readonly string[]> {
  const issuer = resolveIssuer(options.issuer, environment['PATMINT_ISSUER'])
  const credential = resolveCredential(environment['PATMINT_TOKEN'])
  if (issuer.ok && credential.ok) return ok({ issuer: issuer.value, credential: credential.value })
  return fail([issuer, credential].flatMap((part) => (part.ok ? [] : [part.error])))
}

function resolveIssuer(option: string | undefined, variable: string | undefined): Result<string, string> {
  const name = option === undefined ? 'PATMINT_ISSUER' : '--issuer'
  const issuer = option ?? variable
  if (!issuer) return fail(`${name} is empty: set PATMINT_ISSUER or pass --issuer URL`)
  const problem = findIssuerProblem(issuer)
  return problem === undefined ? ok(issuer) : fail(`${name} ${problem}`)
}

function resolveCredential(variable: string | undefined): Result<PresentedCredential, string> {
  if (!variable) return fail('PATMINT_TOKEN is empty: set it to a PAT (pat_…) or an API key (key_…)')
  // Secret stores and files like to end in a line break.
  const credential = parseCredential(variable.trim())
  return credential ? ok(credential) : fail('PATMINT_TOKEN is not a PAT or an API key: was it copied whole?')
}

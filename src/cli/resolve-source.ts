// Where a command goes and as whom: the issuer and the credential, from the environment and the command line. Problems
// are found before any network, all at once.

import { type PresentedCredential, parseCredential } from '../protocol/credential.ts'
import { fail, ok, type Result } from '../protocol/result.ts'
import { findIssuerProblem } from '../verify/issuer-url.ts'
import type { Surroundings } from './surroundings.ts'

type Environment = Surroundings['environment']

export interface Source {
  readonly issuer: string
  readonly credential: PresentedCredential
}

/** Fails with every problem, each as a sentence. */
export function resolveSource(
  options: { readonly issuer?: string },
  environment: Environment,
): Result<Source, readonly string[]> {
  const issuer = resolveIssuer(options.issuer, environment['PATMINT_ISSUER'])
  const credential = resolveCredential(environment['PATMINT_TOKEN'])
  if (issuer.ok && credential.ok) return ok({ issuer: issuer.value, credential: credential.value })
  return fail([issuer, credential].flatMap((part) => (part.ok ? [] : [part.error])))
}

/** The issuer by itself, for what needs no credential. Fails with a sentence. */
export function resolveIssuer(
  option: string | undefined,
  variable: string | undefined,
): Result<string, string> {
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

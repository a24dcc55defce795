// Options of `createVerifier`: every problem at once, before anything starts. Checks have no silent defaults:
// the issuer and the audience are named, or the audience check is switched off by an explicit `null`.

import type { JwksFetch } from './fetch-jwks.ts'
import { findEndpointProblem, findIssuerProblem, formatEndpointUrl } from './issuer-url.ts'

const DEFAULT_CLOCK_TOLERANCE_SECONDS = 5
const MAX_CLOCK_TOLERANCE_SECONDS = 60

export interface VerifierOptions {
  /** The issuer's identifier, compared with `iss` character by character. */
  readonly issuer: string
  /** This service's own audience, or several it answers for. `null` accepts tokens meant for anyone. */
  readonly audience: string | readonly string[] | null
  /** Where the issuer publishes its keys. Default: `<issuer>/.well-known/jwks.json`. */
  readonly jwksUri?: string | undefined
  /** How far this machine's clock may be off, for `exp` and `nbf`. Default 5, at most 60. */
  readonly clockToleranceSeconds?: number | undefined
  /** Allows plain http to hosts other than this machine: whoever is on the path can then forge tokens. */
  readonly allowInsecureHttp?: boolean | undefined
  /** Replaces the global `fetch`; must honour the `signal` it is given. */
  readonly fetch?: JwksFetch | undefined
  /** Replaces the clock. */
  readonly now?: (() => Date) | undefined
}

/** Options after checking, with nothing left to default. */
export interface VerifierSettings {
  readonly issuer: string
  readonly audiences: readonly string[] | null
  readonly jwksUri: string
  readonly clockToleranceSeconds: number
  readonly fetch: JwksFetch
  readonly now: () => Date
}

/** Checks and completes the options. Throws a `TypeError` that lists every problem. */
export function resolveOptions(options: VerifierOptions): VerifierSettings {
  const problems = findProblems(options)
  if (problems.length > 0) throw new TypeError(`createVerifier: ${problems.join('; ')}`)
  const { issuer, audience } = options
  return {
    issuer,
    audiences: typeof audience === 'string' ? [audience] : audience && [...audience],
    jwksUri: options.jwksUri ?? formatEndpointUrl(issuer, '/.well-known/jwks.json'),
    clockToleranceSeconds: options.clockToleranceSeconds ?? DEFAULT_CLOCK_TOLERANCE_SECONDS,
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    now: options.now ?? (() => new Date()),
  }
}

function findProblems(options: VerifierOptions): string[] {
  // Callers in plain JavaScript may pass anything at all.
  if (typeof options !== 'object' || options === null) return ['options must be an object']
  const insecure = options.allowInsecureHttp === true
  return [
    nameProblem(
      'issuer',
      isText(options.issuer) ? findIssuerProblem(options.issuer, insecure) : 'must be a non-empty string',
    ),
    isAudience(options.audience) ? [] : ['audience must be a non-empty string, a list of them, or null'],
    options.jwksUri === undefined
      ? []
      : nameProblem('jwksUri', findJwksUriProblem(options.jwksUri, insecure)),
    isTolerance(options.clockToleranceSeconds) ? [] : ['clockToleranceSeconds must be a number from 0 to 60'],
    isOptional(options.allowInsecureHttp, 'boolean') ? [] : ['allowInsecureHttp must be a boolean'],
    isOptional(options.fetch, 'function') ? [] : ['fetch must be a function'],
    isOptional(options.now, 'function') ? [] : ['now must be a function'],
  ].flat()
}

const nameProblem = (name: string, problem: string | undefined): string[] =>
  problem === undefined ? [] : [`${name} ${problem}`]

const findJwksUriProblem = (uri: unknown, insecure: boolean): string | undefined =>
  isText(uri) ? findEndpointProblem(uri, insecure) : 'must be a non-empty string'

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isAudience = (value: unknown): boolean =>
  value === null || isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText))

const isTolerance = (value: unknown): boolean =>
  value === undefined || (typeof value === 'number' && value >= 0 && value <= MAX_CLOCK_TOLERANCE_SECONDS)

const isOptional = (value: unknown, type: 'boolean' | 'function'): boolean =>
  value === undefined || typeof value === type

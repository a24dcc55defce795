// What is wrong with the options of `createVerifier`: all of it at once. Callers in plain JavaScript may pass anything.

import { findUnknownMembers } from './find-unknown-members.ts'
import { findEndpointProblem, findIssuerProblem } from './issuer-url.ts'
import type { DpopOptions, StatusListOptions, VerifierOptions } from './options.ts'

const DAY_SECONDS = 86_400
/** What one process remembers at most, of tokens and of proofs: some hundred megabytes. */
const MOST_REMEMBERED = 1_000_000

// Records rather than lists, so that a new option does not compile until it is named here.
const MEMBERS: Readonly<Record<keyof VerifierOptions, true>> = {
  issuer: true,
  audience: true,
  statusList: true,
  dpop: true,
  jwksUri: true,
  jwksMaxStaleSeconds: true,
  clockToleranceSeconds: true,
  rememberedTokens: true,
  timeoutSeconds: true,
  persist: true,
  allowInsecureHttp: true,
  fetch: true,
  now: true,
}
const STATUS_LIST_MEMBERS: Readonly<Record<keyof StatusListOptions, true>> = {
  url: true,
  maxStaleSeconds: true,
}
const DPOP_MEMBERS: Readonly<Record<keyof DpopOptions, true>> = {
  proofSeconds: true,
  rememberedProofs: true,
  noteOnce: true,
}

type Options = Readonly<Record<string, unknown>>

/** Every problem, each as a sentence that begins with the name of the option. */
export function findOptionProblems(options: unknown): string[] {
  if (!isObject(options)) return ['options must be an object']
  const insecure = options['allowInsecureHttp'] === true
  return [
    findUnknownMembers(options, MEMBERS),
    nameProblem(
      'issuer',
      isText(options['issuer'])
        ? findIssuerProblem(options['issuer'], insecure)
        : 'must be a non-empty string',
    ),
    isAudience(options['audience']) ? [] : ['audience must be a non-empty string, a list of them, or null'],
    findUrlProblem('jwksUri', options['jwksUri'], (url) => findEndpointProblem(url, insecure)),
    findNumberProblem('jwksMaxStaleSeconds', options['jwksMaxStaleSeconds'], 0, 7 * DAY_SECONDS),
    findNumberProblem('clockToleranceSeconds', options['clockToleranceSeconds'], 0, 60),
    findCountProblem('rememberedTokens', options['rememberedTokens'], 0),
    findNumberProblem('timeoutSeconds', options['timeoutSeconds'], 0.1, 5),
    findMemberProblems('statusList', options['statusList'], (statusList) => [
      findUnknownMembers(statusList, STATUS_LIST_MEMBERS, 'statusList.'),
      // The path of a list is put behind it.
      findUrlProblem('statusList.url', statusList['url'], (url) => findIssuerProblem(url, insecure)),
      findNumberProblem('statusList.maxStaleSeconds', statusList['maxStaleSeconds'], 0, DAY_SECONDS),
    ]),
    findMemberProblems('dpop', options['dpop'], (dpop) => [
      findUnknownMembers(dpop, DPOP_MEMBERS, 'dpop.'),
      findNumberProblem('dpop.proofSeconds', dpop['proofSeconds'], 1, 300),
      findCountProblem('dpop.rememberedProofs', dpop['rememberedProofs'], 1),
      findTypeProblem('dpop.noteOnce', dpop['noteOnce'], 'function'),
    ]),
    findTypeProblem('allowInsecureHttp', options['allowInsecureHttp'], 'boolean'),
    ...['persist', 'fetch', 'now'].map((name) => findTypeProblem(name, options[name], 'function')),
  ].flat()
}

const nameProblem = (name: string, problem: string | undefined): string[] =>
  problem === undefined ? [] : [`${name} ${problem}`]

function findUrlProblem(
  name: string,
  value: unknown,
  findProblem: (url: string) => string | undefined,
): string[] {
  if (value === undefined) return []
  return nameProblem(name, isText(value) ? findProblem(value) : 'must be a non-empty string')
}

function findNumberProblem(name: string, value: unknown, least: number, most: number): string[] {
  const isRight = value === undefined || (typeof value === 'number' && value >= least && value <= most)
  return isRight ? [] : [`${name} must be a number from ${least} to ${most}`]
}

function findCountProblem(name: string, value: unknown, least: number): string[] {
  const isCount = Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= MOST_REMEMBERED
  return value === undefined || isCount
    ? []
    : [`${name} must be a whole number from ${least} to ${MOST_REMEMBERED}`]
}

function findTypeProblem(name: string, value: unknown, type: 'boolean' | 'function'): string[] {
  return value === undefined || typeof value === type ? [] : [`${name} must be a ${type}`]
}

/** A group of options: absent, an object, or null, which switches the check off. */
function findMemberProblems(
  name: string,
  value: unknown,
  findProblems: (members: Options) => string[][],
): string[] {
  if (value === undefined || value === null) return []
  return isObject(value) ? findProblems(value).flat() : [`${name} must be an object or null`]
}

const isObject = (value: unknown): value is Options =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isAudience = (value: unknown): boolean =>
  value === null || isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText))

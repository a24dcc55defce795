// The options of `patmint policy`: a field of a policy each, in human durations.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { parseDurationSeconds } from '../../protocol/duration.ts'
import { NONE, type PolicyChanges } from './policy.ts'

/** Options that every command takes. */
export interface LevelOptions {
  readonly organization?: string
  readonly issuer?: string
  readonly json?: boolean
}

export interface HistoryOptions extends LevelOptions {
  readonly limit?: number
  readonly all?: boolean
}

/** A limit, or no rule; commander takes a null for an option without a value. */
type Rule = number | typeof NONE

/** Options that name a policy by how it differs from the present one. */
export interface ChangeOptions extends LevelOptions {
  readonly maxLifetime?: Rule
  readonly defaultLifetime?: Rule
  readonly idleTimeout?: Rule
  readonly accessTokenMaxTtl?: Rule
  readonly maxActiveTokens?: Rule
  readonly appliesTo?: 'all' | 'new'
  readonly exemptRole?: readonly string[]
}

export const addLevelOptions = (command: Command): Command =>
  command
    .option('--organization <slug>', "the organization's policy (default: the platform's)")
    .option('--issuer <url>', 'issuer URL (default: PATMINT_ISSUER)')
    .option('--json', 'print the answer of the server as JSON')

export const addHistoryOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('--limit <number>', 'as many of the newest (default: 50)')
        .argParser(readLimit)
        .conflicts('all'),
    )
    .option('--all', 'all of them')

export const addChangeOptions = (command: Command): Command =>
  command
    .option('--max-lifetime <duration>', 'a credential stops this long after its creation', readDuration)
    .option('--default-lifetime <duration>', 'lifetime of a credential made without one', readDuration)
    .option('--idle-timeout <duration>', 'a credential stops this long after its last use', readDuration)
    .option('--access-token-max-ttl <duration>', 'no access token lives longer', readDuration)
    .option('--max-active-tokens <number>', 'how many active ones a user may have', readCount)
    .addOption(
      new Option('--applies-to <which>', 'all credentials, or those made from now on').choices([
        'all',
        'new',
      ]),
    )
    .option(
      '--exempt-role <name>',
      `whose credentials have no end by this policy (repeatable; the list as it shall be; ${NONE}: nobody)`,
      collectRole,
    )

/** The members that options were given for. */
export function readChanges(options: ChangeOptions): PolicyChanges {
  const changes = {
    max_lifetime_seconds: toRule(options.maxLifetime),
    default_lifetime_seconds: toRule(options.defaultLifetime),
    idle_timeout_seconds: toRule(options.idleTimeout),
    access_token_max_ttl_seconds: toRule(options.accessTokenMaxTtl),
    max_active_tokens: toRule(options.maxActiveTokens),
    applies_to: options.appliesTo,
    exempt_roles: options.exemptRole,
  }
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

const toRule = (rule: Rule | undefined): number | null | undefined => (rule === NONE ? null : rule)

function readDuration(text: string): Rule {
  if (text === NONE) return NONE
  const seconds = parseDurationSeconds(text)
  if (!seconds)
    throw new InvalidArgumentError(`It must be a duration such as 15m, 12h or 90d, or ${NONE} for no rule.`)
  return seconds
}

function readCount(text: string): Rule {
  if (text === NONE) return NONE
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new InvalidArgumentError(
      `It must be a number of at least 1, or ${NONE} for no rule of an organization.`,
    )
  return Number(text)
}

function readLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a number of at least 1.')
  return Number(text)
}

function collectRole(role: string, previous?: readonly string[]): readonly string[] {
  const isAlone = role === NONE ? previous === undefined : previous?.length !== 0
  if (!isAlone) throw new InvalidArgumentError(`${NONE} stands alone.`)
  return role === NONE ? [] : [...(previous ?? []), role]
}

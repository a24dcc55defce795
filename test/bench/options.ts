// The command line: how large, how long, and what of it.

import { Command, InvalidArgumentError } from 'commander'
import type { Window } from './meter/measure.ts'
import type { VerifySize } from './verify/measure.ts'

export const GROUPS = ['warm', 'large', 'cold', 'flood', 'jwks', 'introspection', 'verify', 'soak'] as const
export type Group = (typeof GROUPS)[number]

export interface Options {
  /** What is measured beside the floor. */
  readonly groups: ReadonlySet<Group>
  readonly isJson: boolean
  /** Rows of the large database. */
  readonly largeCredentials: number
  readonly largeAuditEvents: number
  readonly window: Window
  /** How often what is compared takes turns. */
  readonly rounds: number
  /** PATs that are exchanged again and again. */
  readonly warmCredentials: number
  /** PATs that are exchanged once. */
  readonly coldCredentials: number
  readonly soakSeconds: number
  readonly verify: VerifySize
  /** Settings of the measured server, by environment variable. */
  readonly settings: Readonly<Record<string, string>>
  /** A Postgres to use instead of one of the benchmark's own. */
  readonly databaseUrl: string | undefined
}

const FULL = {
  rows: [1_000_000, 10_000_000] as const,
  window: { warmUpSeconds: 2, seconds: 10 },
  rounds: 3,
  warmCredentials: 1000,
  coldCredentials: 20_000,
  verify: { rounds: 30, tokens: 300 },
}

/** Shows that all of it runs; too short for figures. */
const QUICK = {
  rows: [2000, 20_000] as const,
  window: { warmUpSeconds: 0.3, seconds: 1 },
  rounds: 1,
  warmCredentials: 200,
  coldCredentials: 1000,
  verify: { rounds: 3, tokens: 50 },
}

/** As long as its bar asks for. */
const SOAK_SECONDS = 600

/** One worker, unless told otherwise: what one process makes of one core is what the bars are about. */
const DEFAULT_SETTINGS = { PATMINT_WORKERS: '1' }

/** Reads the arguments. Prints what is wrong with them and ends the process with 2. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options {
  const command = new Command('bench')
    .description('what an exchange costs, against a bare server that only signs')
    .option('--quick', 'small and short: whether it runs, not how fast')
    .option('--json', 'one JSON document on stdout')
    .option('--rows <credentials,audit events>', 'size of the large database', parseRows)
    .option('--only <groups>', `of ${GROUPS.join(', ')}; separated by commas`, parseGroups)
    .option('--soak <seconds>', 'full load for this long at the end, watching memory', parseCount)
    .option('--set <NAME=value>', 'a setting of the measured server; repeatable', collectSetting, {})
    .addHelpText(
      'after',
      '\nBENCH_DATABASE_URL names a Postgres on this machine to use instead of an own one.',
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  const given = command.parse(argv, { from: 'user' }).opts<{
    quick?: boolean
    json?: boolean
    rows?: readonly [number, number]
    only?: readonly Group[]
    soak?: number
    set: Record<string, string>
  }>()
  const size = given.quick ? QUICK : FULL
  const [largeCredentials, largeAuditEvents] = given.rows ?? size.rows
  return {
    ...size,
    groups: new Set(given.only ?? GROUPS.filter((group) => group !== 'soak' || given.soak !== undefined)),
    isJson: given.json ?? false,
    largeCredentials,
    largeAuditEvents,
    soakSeconds: given.soak ?? SOAK_SECONDS,
    settings: { ...DEFAULT_SETTINGS, ...given.set },
    databaseUrl: env['BENCH_DATABASE_URL'] || undefined,
  }
}

function parseCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('a positive whole number is expected')
  return Number(text)
}

function parseRows(text: string): readonly [number, number] {
  const [credentials, auditEvents, ...rest] = text.split(',').map(parseCount)
  if (!credentials || !auditEvents || rest.length > 0)
    throw new InvalidArgumentError('two numbers are expected, separated by a comma')
  return [credentials, auditEvents]
}

function parseGroups(text: string): Group[] {
  return text.split(',').map((name) => {
    const group = GROUPS.find((one) => one === name)
    if (!group) throw new InvalidArgumentError(`there is no ${name}`)
    return group
  })
}

function collectSetting(text: string, settings: Record<string, string>): Record<string, string> {
  const [, name, value] = /^(PATMINT_[A-Z_]+)=(.*)$/s.exec(text) ?? []
  if (!name || value === undefined) throw new InvalidArgumentError('PATMINT_NAME=value is expected')
  return { ...settings, [name]: value }
}

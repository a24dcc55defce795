// `patmint policy history` and `patmint policy restore N`: what the policy said before, and how to have it again.

import { formatMessage } from '../describe-failure.ts'
import { EXIT_CODE, type ExitCode } from '../exit-code.ts'
import { formatTable } from '../format-table.ts'
import { asText, type JsonObject } from '../send-request.ts'
import { type Agreement, changeShown } from './change-policy.ts'
import { describeRules, readPolicy } from './policy.ts'
import type { PolicyWork } from './policy-command.ts'
import type { HistoryOptions, LevelOptions } from './policy-options.ts'

/** As many of the last versions as are shown unless told. */
const SHOWN = 50

/** Prints the versions of the policy, newest first. */
export async function showHistory({ json, limit, all }: HistoryOptions, work: PolicyWork): Promise<ExitCode> {
  const { client, tellFailure, surroundings } = work
  const history = await client.history(all ? Number.POSITIVE_INFINITY : (limit ?? SHOWN))
  if (!history.ok) return tellFailure(history.error)
  const { items, next_cursor } = history.value
  const rows = items.map(formatVersion)
  const header = ['number', 'made', 'by', 'stopped', 'in use', 'says']
  surroundings.writeOut(
    json ? `${JSON.stringify(history.value)}\n` : formatTable([header, ...rows], surroundings.paint),
  )
  if (next_cursor !== null)
    surroundings.writeErr(`these are the newest ${items.length}; --limit <number> or --all shows more\n`)
  return EXIT_CODE.ok
}

/** Makes the policy say again what version `number` said, having shown what that stops, and prints it. */
export async function restorePolicy(
  number: string,
  options: LevelOptions & Agreement,
  work: PolicyWork,
): Promise<ExitCode> {
  const { client, surroundings, tellFailure } = work
  if (!/^[1-9]\d{0,8}$/.test(number)) {
    surroundings.writeErr(
      formatMessage(`${number} is no number of a version`, 'patmint policy history lists them'),
    )
    return EXIT_CODE.usage
  }
  const read = await client.read()
  if (!read.ok) return tellFailure(read.error)
  const preview = await client.previewVersion(Number(number))
  if (!preview.ok) return tellFailure(preview.error)
  const make = (confirm: number) => client.restore(read.value, Number(number), confirm)
  return changeShown(read.value, preview.value, make, options, work)
}

function formatVersion(version: JsonObject): string[] {
  const { policy } = version
  const said = typeof policy === 'object' && policy !== null ? readPolicy(policy as JsonObject) : undefined
  const text = (name: string): string => String(version[name] ?? '')
  return [
    text('number'),
    (asText(version['made_at']) ?? '').replace(/\.\d+Z$/, 'Z'),
    text('made_by'),
    text('stopped'),
    text('stopped_in_use'),
    said ? describeRules(said) : '',
  ]
}

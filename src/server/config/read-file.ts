// The configuration file as keys and values, whatever they mean. Its problems are told without quoting it: it may hold
// secrets.

import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument, visit } from 'yaml'
import { fail, ok, type Result } from '../../protocol/result.ts'

type Content = Readonly<Record<string, unknown>>

/** Reads the file. Fails with one line per problem. */
export function readConfigFile(
  path: string,
  { mayBeMissing }: { readonly mayBeMissing: boolean },
): Result<Content, string[]> {
  try {
    return parseConfigText(path, readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    if (code !== 'ENOENT') return fail([`${path} cannot be read: ${code}`])
    return mayBeMissing ? ok({}) : fail([`PATMINT_CONFIG ${path} does not exist`])
  }
}

function parseConfigText(path: string, text: string): Result<Content, string[]> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const flaws: string[] = []
  const noteFlaw = (offset: number, code: string): void => {
    const flaw = code.toLowerCase().replaceAll('_', ' ')
    flaws.push(`${path}:${lines.linePos(offset).line} is not valid YAML (${flaw})`)
  }
  // A warning is a value that was not understood. Only codes are told: messages quote the file.
  for (const { pos, code } of [...document.errors, ...document.warnings]) noteFlaw(pos[0], code)
  visit(document, {
    Alias(_key, node) {
      if (!node.resolve(document)) noteFlaw(node.range?.[0] ?? 0, 'BAD_ALIAS')
    },
  })
  if (flaws.length > 0) return fail(flaws)
  const content = (document.toJS() as unknown) ?? {}
  if (typeof content !== 'object' || Array.isArray(content))
    return fail([`${path} must hold keys and values`])
  // A key without a value counts as absent, as an empty variable does.
  return ok(Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null)))
}

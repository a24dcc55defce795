// From a YAML file to a checked declaration in which every part knows its line, so that problems say where.

import { readFileSync } from 'node:fs'
import { type Document, isMap, isNode, LineCounter, parseDocument, Scalar, visit } from 'yaml'
import type { z } from 'zod'
import { fail, ok, type Result } from '../../../protocol/result.ts'
import { type ApplyFile, applyFileSchema } from './schema.ts'

type Path = readonly PropertyKey[]
export type Environment = Readonly<Record<string, string | undefined>>

export interface DeclarativeFile {
  readonly content: ApplyFile
  /** `file.yaml:12 roles[0].name`, or the nearest line above a part the file leaves out. */
  readonly locate: (path: Path) => string
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g

/** Reads one file, taking `${NAME}` in its text values from `env`. Fails with one line per problem. */
export function readDeclarativeFile(file: string, env: Environment): Result<DeclarativeFile, string[]> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return fail([`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`])
  }
  return parseDeclarativeFile(file, text, env)
}

export function parseDeclarativeFile(
  file: string,
  text: string,
  env: Environment,
): Result<DeclarativeFile, string[]> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineOf = (offset: number): string => `${file}:${lines.linePos(offset).line}`
  const flaws = findFlaws(document).map(({ offset, flaw }) => `${lineOf(offset)} is not valid YAML (${flaw})`)
  if (flaws.length > 0) return fail(flaws)
  const missing = fillVariables(document, env).map(
    ({ offset, name }) => `${lineOf(offset)} the environment variable ${name} is not set`,
  )
  const locate = (path: Path): string => `${lineOf(offsetOf(document, path))} ${formatPath(path)}`.trimEnd()
  const parsed = applyFileSchema.safeParse(document.toJS() ?? {})
  const problems = (parsed.error?.issues ?? [])
    // What a missing variable would have held cannot be judged.
    .filter(({ path }) => !hasVariable(document.getIn(path)))
    .flatMap((issue) => describeIssue(issue, document.getIn(issue.path)))
    .map(({ path, message }) => `${locate(path)}: ${message}`)
  if (missing.length > 0 || !parsed.success) return fail([...missing, ...problems])
  return ok({ content: parsed.data, locate })
}

const hasVariable = (value: unknown): boolean => typeof value === 'string' && value.search(VARIABLE) >= 0

/** What is no YAML, or names a tag or an alias that does not exist. Tells codes alone: messages quote the file. */
function findFlaws(document: Document.Parsed): { offset: number; flaw: string }[] {
  const flaws = [...document.errors, ...document.warnings].map(({ pos, code }) => ({ offset: pos[0], code }))
  visit(document, {
    Alias(_key, node) {
      if (!node.resolve(document)) flaws.push({ offset: node.range?.[0] ?? 0, code: 'BAD_ALIAS' })
    },
  })
  return flaws.map(({ offset, code }) => ({ offset, flaw: code.toLowerCase().replaceAll('_', ' ') }))
}

/** Puts values from `env` into text values; gives the variables that have none. */
function fillVariables(document: Document.Parsed, env: Environment): { offset: number; name: string }[] {
  const missing: { offset: number; name: string }[] = []
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return
      node.value = node.value.replace(VARIABLE, (whole, name: string) => {
        const value = env[name]
        if (value) return value
        missing.push({ offset: node.range?.[0] ?? 0, name })
        return whole
      })
    },
  })
  return missing
}

/** What is wrong, in the place where it can be mended. */
function describeIssue(issue: z.core.$ZodIssue, value: unknown): { path: Path; message: string }[] {
  const { path, message } = issue
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: 'is not a known key' }))
    case 'invalid_key':
      return issue.issues.map((inner) => ({ path, message: inner.message }))
    case 'invalid_type':
      return [{ path, message: value === undefined ? 'is missing' : message }]
    default:
      return [{ path, message }]
  }
}

/** Where `path` stands, or its nearest ancestor that does. */
function offsetOf(document: Document.Parsed, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = document.getIn(path.slice(0, length - 1), true)
    const key = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(({ key: node }) => node instanceof Scalar && node.value === key)
      if (pair?.key instanceof Scalar && pair.key.range) return pair.key.range[0]
    }
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return 0
}

const formatPath = (path: Path): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')

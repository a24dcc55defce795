// One run of apply: the transaction it works in, what it changed, and what is wrong with the files.

import { isDeepStrictEqual } from 'node:util'
import type { Queryable } from '../../db/database.ts'
import type { PolicyReplaced } from '../../policy/version-store.ts'
import type { DerivedKeys } from '../../secret/secret-keys.ts'

export interface ApplyRun {
  readonly transaction: Queryable
  readonly now: Date
  readonly clientSecretKeys: DerivedKeys
  /** One line per change, such as `created organization acme`. */
  readonly changes: string[]
  readonly policies: PolicyReplaced[]
  /** One line per contradiction; any of them rolls everything back. */
  readonly problems: string[]
}

/** One entry of a section, and where a part of it stands in its file. */
export interface Declared<T> {
  readonly value: T
  readonly at: (...path: PropertyKey[]) => string
}

/** Reports entries that name the same thing twice; gives those that come first. */
export function withoutDuplicates<T>(
  run: ApplyRun,
  noun: string,
  entries: readonly Declared<T>[],
  nameOf: (value: T) => string,
): Declared<T>[] {
  const seen = new Set<string>()
  return entries.filter(({ value, at }) => {
    const name = nameOf(value)
    if (seen.has(name)) run.problems.push(`${at()}: ${noun} ${name} is declared twice`)
    const isFirst = !seen.has(name)
    seen.add(name)
    return isFirst
  })
}

/** The members of `after` that `before` has otherwise, as `keys` names them in the file, else by their own name. */
export function differingMembers(
  before: object,
  after: object,
  keys: Readonly<Record<string, string>> = {},
): string[] {
  const old = new Map<string, unknown>(Object.entries(before))
  const names = Object.entries(after)
    .filter(([name, value]) => !isDeepStrictEqual(value, old.get(name)))
    .map(([name]) => keys[name] ?? name)
  return [...new Set(names)]
}

/** Notes an update, unless nothing differs. Gives whether there is one to write. */
export function noteUpdate(run: ApplyRun, what: string, differing: readonly string[]): boolean {
  if (differing.length > 0) run.changes.push(`updated ${what} (${differing.join(', ')})`)
  return differing.length > 0
}

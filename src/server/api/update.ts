// An update: the members a body gives, over those that are there, and what that changed.

import { isDeepStrictEqual } from 'node:util'

/** `before` with the members that `changes` gives. */
export function mergeChanges<View extends object>(
  before: View,
  changes: { readonly [Name in keyof View]?: View[Name] | undefined },
): View {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  return { ...before, ...Object.fromEntries(given) }
}

/** The members that differ, as they were and as they are: what the audit record of an update tells. */
export interface Difference<View> {
  readonly before: Partial<View>
  readonly after: Partial<View>
}

/** In what `after` differs from `before`; null when in nothing. */
export function findDifference<View extends object>(before: View, after: View): Difference<View> | null {
  const names = (Object.keys(after) as (keyof View)[]).filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  )
  return names.length > 0 ? { before: pick(before, names), after: pick(after, names) } : null
}

function pick<View extends object>(view: View, names: readonly (keyof View)[]): Partial<View> {
  const picked: Partial<View> = {}
  for (const name of names) picked[name] = view[name]
  return picked
}

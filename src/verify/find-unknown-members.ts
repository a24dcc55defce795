// Options nobody reads: a misspelt one would leave its check at the default in silence.

/** A problem for each member of `options` that is not `known`. */
export function findUnknownMembers(
  options: object,
  known: Readonly<Record<string, true>>,
  prefix = '',
): string[] {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(known, name))
  return unknown.map((name) => `${prefix}${name} is no option`)
}

// The scope grammar: `type:action`, `type/entity:action`, wildcards in roles and credentials, opaque strings.
// Scopes form a meet-semilattice: `narrowScopes` is the only way two sets combine, so rights can only shrink.

/** What a scope of the grammar says. `entity: null` means every entity; `*` stands for every type or every action. */
interface Pattern {
  readonly type: string
  readonly entity: string | null
  readonly action: string
}

/** A scope read once. Opaque strings have no pattern. */
interface Scope {
  readonly text: string
  readonly pattern: Pattern | undefined
}

const GRAMMAR = /^(\*|[a-z0-9_.-]+)(?:\/([A-Za-z0-9_.~-]+))?:(\*|[a-z0-9_.-]+)$/
// scope-token of RFC 6749 section 3.3.
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

function parsePattern(scope: string): Pattern | undefined {
  const match = GRAMMAR.exec(scope)
  if (!match) return undefined
  const [, type = '', entity, action = ''] = match
  return type === '*' && entity !== undefined ? undefined : { type, entity: entity ?? null, action }
}

const parseScope = (text: string): Scope => ({ text, pattern: parsePattern(text) })

function formatPattern({ type, entity, action }: Pattern): string {
  return entity === null ? `${type}:${action}` : `${type}/${entity}:${action}`
}

function meetPart<T extends string | null>(a: T, b: T, top: T): T | undefined {
  if (a === top) return b
  return b === top || a === b ? a : undefined
}

/** The widest scope both `a` and `b` cover, or `undefined` when they share nothing. */
function meet(a: Scope, b: Scope): Scope | undefined {
  if (a.text === b.text) return a
  if (!a.pattern || !b.pattern) return undefined
  const type = meetPart(a.pattern.type, b.pattern.type, '*')
  const entity = meetPart(a.pattern.entity, b.pattern.entity, null)
  const action = meetPart(a.pattern.action, b.pattern.action, '*')
  if (type === undefined || entity === undefined || action === undefined) return undefined
  const pattern = { type, entity, action }
  return { text: formatPattern(pattern), pattern }
}

const isCovered = (wanted: Scope, held: Scope): boolean => meet(held, wanted)?.text === wanted.text

/** Whether `scope` is one a request may ask for: a scope-token without wildcards. */
export const isConcreteScope = (scope: string): boolean => SCOPE_TOKEN.test(scope) && !scope.includes('*')

/** Whether a role or a credential may hold `scope`: concrete, or a wildcard the grammar knows. */
export const isGrantableScope = (scope: string): boolean =>
  isConcreteScope(scope) || parsePattern(scope) !== undefined

/** Whether holding `held` is enough to do all that `wanted` allows. */
export const covers = (held: string, wanted: string): boolean =>
  isCovered(parseScope(wanted), parseScope(held))

/** Whether some scope of `held` covers `wanted`. */
export const anyCovers = (held: readonly string[], wanted: string): boolean =>
  held.some((scope) => covers(scope, wanted))

/** What both sets allow: pairwise meets, without those another one covers, sorted. Never wider than either. */
export function narrowScopes(a: readonly string[], b: readonly string[]): string[] {
  const partners = indexScopes(b.map(parseScope))
  const meets = new Map<string, Scope>()
  for (const one of a.map(parseScope))
    for (const other of partners(one)) {
      const common = meet(one, other)
      if (common) meets.set(common.text, common)
    }
  return [...meets.values()]
    .filter((scope) => !listWider(scope).some((wider) => meets.has(wider)))
    .map(({ text }) => text)
    .sort()
}

const narrowings = new WeakMap<readonly string[], WeakMap<readonly string[], readonly string[]>>()

/**
 * `narrowScopes` of two sets that many share, each as the same array: what one role has at one resource server is the
 * same for all who hold it, and computed for the first of them.
 */
export function narrowShared(a: readonly string[], b: readonly string[]): readonly string[] {
  const ofA = narrowings.get(a) ?? new WeakMap<readonly string[], readonly string[]>()
  narrowings.set(a, ofA)
  const narrowed = ofA.get(b) ?? narrowScopes(a, b)
  ofA.set(b, narrowed)
  return narrowed
}

/** Finds the scopes one could share something with, without comparing it with each: roles may hold hundreds. */
function indexScopes(scopes: readonly Scope[]): (scope: Scope) => readonly Scope[] {
  const byKey = Map.groupBy(scopes, ({ text, pattern }) => (pattern ? keyOf(pattern) : text))
  return ({ text, pattern }) => {
    if (!pattern) return byKey.get(text) ?? []
    if (pattern.type === '*' || pattern.action === '*') return scopes
    return [pattern.type, '*'].flatMap((type) =>
      [pattern.action, '*'].flatMap((action) => byKey.get(keyOf({ type, action })) ?? []),
    )
  }
}

const keyOf = ({ type, action }: Pick<Pattern, 'type' | 'action'>): string => `${type}:${action}`

/** The scopes of the grammar that cover `scope` and are not it: at most seven. */
function listWider({ text, pattern }: Scope): string[] {
  if (!pattern) return []
  const { type, entity, action } = pattern
  const candidates = [action, '*'].flatMap((wideAction) => [
    { type, entity, action: wideAction },
    { type, entity: null, action: wideAction },
    { type: '*', entity: null, action: wideAction },
  ])
  return candidates.map(formatPattern).filter((wider) => wider !== text)
}

/** Splits a `scope` parameter (RFC 6749 section 3.3); `undefined` when it is not a list of concrete scopes. */
export function parseScopeParameter(value: string): string[] | undefined {
  const scopes = value.split(' ')
  return scopes.every(isConcreteScope) ? [...new Set(scopes)] : undefined
}

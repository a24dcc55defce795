// The scope grammar: `type:action`, `type/entity:action`, wildcards in roles and credentials, opaque strings.
// Scopes form a meet-semilattice: `narrowScopes` is the only way two sets combine, so rights can only shrink.

/** A parsed scope. `entity: null` means every entity of the type; `*` stands for every type or every action. */
type Pattern = { readonly type: string; readonly entity: string | null; readonly action: string }

const GRAMMAR = /^(\*|[a-z0-9_.-]+)(?:\/([A-Za-z0-9_.~-]+))?:(\*|[a-z0-9_.-]+)$/
// scope-token of RFC 6749 section 3.3.
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

function parsePattern(scope: string): Pattern | undefined {
  const match = GRAMMAR.exec(scope)
  if (!match) return undefined
  const [, type = '', entity, action = ''] = match
  return type === '*' && entity !== undefined ? undefined : { type, entity: entity ?? null, action }
}

function formatPattern({ type, entity, action }: Pattern): string {
  return entity === null ? `${type}:${action}` : `${type}/${entity}:${action}`
}

function meetPart<T extends string | null>(a: T, b: T, top: T): T | undefined {
  if (a === top) return b
  return b === top || a === b ? a : undefined
}

/** The widest scope both `a` and `b` cover, or `undefined` when they share nothing. */
function meet(a: string, b: string): string | undefined {
  if (a === b) return a
  const left = parsePattern(a)
  const right = parsePattern(b)
  if (!left || !right) return undefined
  const type = meetPart(left.type, right.type, '*')
  const entity = meetPart(left.entity, right.entity, null)
  const action = meetPart(left.action, right.action, '*')
  return type === undefined || entity === undefined || action === undefined
    ? undefined
    : formatPattern({ type, entity, action })
}

/** Whether `scope` is one a request may ask for: a scope-token without wildcards. */
export const isConcreteScope = (scope: string): boolean => SCOPE_TOKEN.test(scope) && !scope.includes('*')

/** Whether a role or a credential may hold `scope`: concrete, or a wildcard the grammar knows. */
export const isGrantableScope = (scope: string): boolean =>
  isConcreteScope(scope) || parsePattern(scope) !== undefined

/** Whether holding `held` is enough to do all that `wanted` allows. */
export const covers = (held: string, wanted: string): boolean => meet(held, wanted) === wanted

/** Whether some scope of `held` covers `wanted`. */
export const anyCovers = (held: readonly string[], wanted: string): boolean =>
  held.some((scope) => covers(scope, wanted))

/** What both sets allow: pairwise meets, without those another one covers, sorted. Never wider than either. */
export function narrowScopes(a: readonly string[], b: readonly string[]): string[] {
  const meets = new Set(a.flatMap((left) => b.flatMap((right) => meet(left, right) ?? [])))
  const widest = [...meets].filter(
    (scope) => ![...meets].some((other) => other !== scope && covers(other, scope)),
  )
  return widest.sort()
}

/** Splits a `scope` parameter (RFC 6749 section 3.3); `undefined` when it is not a list of concrete scopes. */
export function parseScopeParameter(value: string): string[] | undefined {
  const scopes = value.split(' ')
  return scopes.every(isConcreteScope) ? [...new Set(scopes)] : undefined
}

// A small world of scopes. Each scope carries what it allows, said without the grammar: the model its laws are
// checked against.

import fc from 'fast-check'

/** A scope, and every single right it stands for in this world. */
export interface ModelScope {
  readonly scope: string
  readonly rights: ReadonlySet<string>
}

const TYPES = ['models', 'datasets']
const ENTITIES = ['m1', 'M1']
const ACTIONS = ['read', 'write']
/** Stands for every type, entity and action that no scope of this world names. */
const OTHER = '~other'

const rightsOf = (types: string[], entities: string[], actions: string[]): Set<string> =>
  new Set(
    types.flatMap((type) => entities.flatMap((entity) => actions.map((act) => `${type} ${entity} ${act}`))),
  )

const actionChoices = [
  ...ACTIONS.map((action) => ({ text: action, actions: [action] })),
  { text: '*', actions: [...ACTIONS, OTHER] },
]
const everyEntity = [...ENTITIES, OTHER]

const patterns: readonly ModelScope[] = actionChoices.flatMap(({ text, actions }) => [
  { scope: `*:${text}`, rights: rightsOf([...TYPES, OTHER], everyEntity, actions) },
  ...TYPES.flatMap((type) => [
    { scope: `${type}:${text}`, rights: rightsOf([type], everyEntity, actions) },
    ...ENTITIES.map((entity) => ({
      scope: `${type}/${entity}:${text}`,
      rights: rightsOf([type], [entity], actions),
    })),
  ]),
])

const opaque: readonly ModelScope[] = ['openid', 'Models:read', 'models/m1'].map((scope) => ({
  scope,
  rights: new Set([scope]),
}))

/** Every scope of this world that a role or a credential may hold. */
export const MODEL_SCOPES: readonly ModelScope[] = [...patterns, ...opaque]
export const GRANTABLE_SCOPES: readonly string[] = MODEL_SCOPES.map(({ scope }) => scope)
export const CONCRETE_SCOPES: readonly string[] = GRANTABLE_SCOPES.filter((scope) => !scope.includes('*'))

export const grantableScope = fc.constantFrom(...GRANTABLE_SCOPES)
export const scopeSet = fc.array(grantableScope, { maxLength: 5 })

/** All that a set of scopes allows. */
export function rightsOfSet(scopes: readonly string[]): Set<string> {
  const held = MODEL_SCOPES.filter(({ scope }) => scopes.includes(scope))
  return new Set(held.flatMap(({ rights }) => [...rights]))
}

// JSON schemas as people read them: a type, its limits, and a row for each member.

import { type Content, html, prose } from './html.ts'

/** What the page reads of a JSON schema. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly format?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
}

interface Member {
  /** `permissions[].audience` for a member of a member. */
  readonly path: string
  readonly schema: Schema
  readonly isRequired: boolean
}

/** Id of the section that describes a named schema. */
export const anchorOf = (name: string): string => `schema-${name}`
const nameOf = (ref: string): string => ref.split('/').at(-1) ?? ref

const join = (contents: readonly Content[], separator: string): Content =>
  contents.flatMap((content, index) => (index === 0 ? [content] : [separator, content]))

const alternativesOf = ({ anyOf, oneOf }: Schema): readonly Schema[] => anyOf ?? oneOf ?? []

const literal = (value: unknown): Content => html`<code>${JSON.stringify(value)}</code>`

/** The type in words, with links to named schemas. */
export function describeType(schema: Schema): Content {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref)
    return html`<a href="#${anchorOf(name)}">${name}</a>`
  }
  const alternatives = alternativesOf(schema)
  if (alternatives.length > 0) return join([...new Set(alternatives.map(describeType))], ' or ')
  if (schema.allOf) return join(schema.allOf.map(describeType), ' and ')
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum) return join(schema.enum.map(literal), ' or ')
  if (schema.items) return ['array of ', describeType(schema.items)]
  return [schema.type ?? 'any'].flat().join(' or ')
}

const count = (amount: number, unit: string): string =>
  unit === '' ? String(amount) : `${amount} ${unit}${amount === 1 ? '' : 's'}`

const between = (least: number | undefined, most: number | undefined, unit = ''): string[] => {
  if (most === undefined) return least === undefined ? [] : [`at least ${count(least, unit)}`]
  if (least === most) return [count(most, unit)]
  return [least === undefined ? `at most ${count(most, unit)}` : `${least} to ${count(most, unit)}`]
}

/** JSON schema writes "any integer" as the range that a double holds. */
const isLimit = (value: number | undefined): value is number =>
  value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER

/** What a value must keep to, beside its type, each limit for itself. */
function listLimits(schema: Schema): Content[] {
  const { minimum, maximum } = schema
  const limits = [
    ...(schema.format === undefined ? [] : [schema.format]),
    ...between(schema.minLength, schema.maxLength, 'character'),
    ...between(isLimit(minimum) ? minimum : undefined, isLimit(maximum) ? maximum : undefined),
    ...between(schema.minItems, schema.maxItems, 'item'),
    // The pattern of a format says the same at greater length.
    ...(schema.pattern === undefined || schema.format !== undefined
      ? []
      : [html`matches <code>${schema.pattern}</code>`]),
    ...(schema.default === undefined ? [] : [['default ', literal(schema.default)]]),
    ...[schema.items ?? [], alternativesOf(schema)].flat().flatMap(listLimits),
  ]
  // One form of a value often has the limits of another.
  return [...new Set(limits)]
}

/** The members of an object, and those of what they hold. What one of its forms lacks is not required. */
export function listMembers(schema: Schema, prefix = ''): Member[] {
  const forms = [...alternativesOf(schema).filter(isObject), ...(schema.properties ? [schema] : [])]
  const names = new Set(forms.flatMap(({ properties }) => Object.keys(properties ?? {})))
  return [...names].flatMap((name) => {
    const path = prefix + name
    const member = unite(forms.flatMap(({ properties }) => properties?.[name] ?? []))
    const isRequired = forms.every(({ required }) => required?.includes(name))
    return [{ path, schema: member, isRequired }, ...listInner(member, path)]
  })
}

const isObject = ({ properties }: Schema): boolean => properties !== undefined

/** What a member is, which may be described once for each form of the object. */
function unite(schemas: readonly Schema[]): Schema {
  const [first, ...others] = new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()
  return others.length === 0 ? { ...first } : { anyOf: [first ?? {}, ...others] }
}

function listInner(member: Schema, path: string): Member[] {
  const arrays = [member, ...alternativesOf(member)].flatMap(({ items }) => items ?? [])
  return [...listMembers(member, `${path}.`), ...arrays.flatMap((items) => listMembers(items, `${path}[].`))]
}

/** Tables wider than a phone scroll by themselves, also by keyboard. */
export const table = (label: string, head: readonly string[], rows: readonly Content[]): Content => html`
<div class="table" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`

/** The members of an object as a table; of anything else its type. */
export function describeSchema(schema: Schema, label: string): Content {
  const members = listMembers(schema)
  if (members.length === 0) return html`<p>${describeType(schema)}</p>`
  return table(label, ['Member', 'Type', 'Description'], members.map(describeMember))
}

export function describeMember({ path, schema, isRequired }: Member): Content {
  const limits = listLimits(schema)
  return html`<tr>
<th scope="row"><code>${path}</code>${isRequired ? html` <span class="required">required</span>` : ''}</th>
<td>${describeType(schema)}</td>
<td>${prose(schema.description ?? '')} ${limits.length > 0 ? html`<span class="limits">${join(limits, '; ')}</span>` : ''}</td>
</tr>`
}

// A policy for people: every field as its option takes it, and what both levels together say where that is another.

import { formatTable } from '../format-table.ts'
import { asText, type JsonObject } from '../send-request.ts'
import type { Surroundings } from '../surroundings.ts'
import { FIELDS, type FieldName, formatField, formatValue, type Policy } from './policy.ts'

/** `body` is the answer that `policy` was read from; `title` says whose it is. */
export function formatPolicy(
  policy: Policy,
  body: JsonObject,
  title: string,
  paint: Surroundings['paint'],
): string {
  const names = Object.keys(FIELDS) as FieldName[]
  const rows = names.map((name) => [name, formatField(policy, name), describeEffective(body, name)])
  return formatTable([['field', `policy of ${title}`, 'in force'], ...rows], paint)
}

/** The strictest of both levels, and whose it is; empty for a field that each level has for itself. */
function describeEffective({ effective }: JsonObject, name: FieldName): string {
  const limit = isObject(effective) ? effective[FIELDS[name]] : undefined
  if (!isObject(limit)) return ''
  const { value, level } = limit
  if (value !== null && typeof value !== 'number') return ''
  const text = formatValue(FIELDS[name], value)
  return asText(level) === undefined ? text : `${text} (${level})`
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null

// A request body that a schema takes, for the example of an operation.

import type { Schema } from './docs-schema.ts'

/** Tried in this order for a text: the first that fits the schema, and those for a name before all others. */
const TEXTS: readonly string[] = [
  'ci',
  'acme',
  '0123456789abcdef',
  '0198c1f0-0000-7000-8000-000000000001',
  'https://api.example.com',
  'models:read',
  'jane@acme.test',
  '2030-01-01T00:00:00Z',
  '192.0.2.7',
]
const NAMED: Readonly<Record<string, string>> = {
  audience: 'https://api.example.com',
  scopes: 'models:read',
  email: 'jane@acme.test',
  role: 'analyst',
  client_id: 'orders-service',
  allowed_cidrs: '192.0.2.0/24',
  signing_alg: 'ES256',
  status: 'suspended',
}

const FORMATS: Readonly<Record<string, string>> = { 'date-time': '2030-01-01T00:00:00Z', ipv4: '192.0.2.7' }

function fits(text: string, { minLength = 0, maxLength = 1000, pattern }: Schema): boolean {
  if (text.length < minLength || text.length > maxLength) return false
  return pattern === undefined || new RegExp(pattern, 'u').test(text)
}

function exampleText(schema: Schema, name: string): string {
  const ofFormat = FORMATS[schema.format ?? '']
  if (ofFormat !== undefined) return ofFormat
  const candidates = [...(NAMED[name] === undefined ? [] : [NAMED[name]]), ...TEXTS]
  return candidates.find((text) => fits(text, schema)) ?? ''
}

/** A value of the schema, with the members that are needed, or the first where none is. */
export function exampleOf(schema: Schema, components: Readonly<Record<string, Schema>>, name = ''): unknown {
  if (schema.$ref !== undefined)
    return exampleOf(components[schema.$ref.split('/').at(-1) ?? ''] ?? {}, components, name)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum.find((value) => value === NAMED[name]) ?? schema.enum[0]
  const [first] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []
  if (first) return exampleOf(first, components, name)
  if (schema.properties) return exampleObject(schema, components)
  switch ([schema.type].flat()[0]) {
    case 'array':
      return [exampleOf(schema.items ?? {}, components, name)]
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, Math.min(300, schema.maximum ?? 300))
    case 'boolean':
      return true
    case 'string':
      return exampleText(schema, name)
    default:
      return {}
  }
}

function exampleObject(
  { properties = {}, required = [] }: Schema,
  components: Readonly<Record<string, Schema>>,
): Record<string, unknown> {
  const members = Object.entries(properties)
  const needed = members.filter(([name]) => required.includes(name))
  const shown = needed.length > 0 ? needed : members.slice(0, 1)
  return Object.fromEntries(shown.map(([name, member]) => [name, exampleOf(member, components, name)]))
}
